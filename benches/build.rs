//! Compiles the floor's BPF program, and the tracees into `OUT_DIR/tracees`.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use libbpf_cargo::SkeletonBuilder;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    for path in ["src/bpf", "../seccomp-trace-bpf/src/bpf/kernel.h", "tracees", "../tests/tracees/tracee.h"] {
        println!("cargo:rerun-if-changed={path}");
    }
    println!("cargo:rerun-if-env-changed=CC");
    SkeletonBuilder::new()
        .source("src/bpf/floor.bpf.c")
        .obj(out.join("floor.bpf.o"))
        .clang_args(["-mcpu=v3", "-Wall", "-Werror", "-I../seccomp-trace-bpf/src/bpf"])
        .build()
        .unwrap_or_else(|error| panic!("cannot build floor.bpf.c (is clang installed?): {error:#}"));

    let tracees = out.join("tracees");
    fs::create_dir_all(&tracees).unwrap_or_else(|error| panic!("cannot make {}: {error}", tracees.display()));
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    for entry in fs::read_dir("tracees").expect("the folder of the tracees") {
        let source = entry.expect("an entry of the folder").path();
        let mut compile = Command::new(&compiler);
        compile.args(["-D_GNU_SOURCE", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread"]);
        compile.args(["-I../tests/tracees", "-o"]);
        compile.args([&tracees.join(source.file_stem().expect("a name")), &source]);
        let status = compile.status().unwrap_or_else(|error| panic!("cannot run {compile:?}: {error}"));
        assert!(status.success(), "{compile:?} failed with {status}");
    }
}
