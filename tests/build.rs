//! Compiles the tracees into `OUT_DIR/tracees`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    assert!(status.success(), "{command:?} failed with {status}");
}

fn main() {
    println!("cargo:rerun-if-changed=tracees");
    println!("cargo:rerun-if-env-changed=CC");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("tracees");
    fs::create_dir_all(&out).unwrap_or_else(|error| panic!("cannot make {}: {error}", out.display()));
    let x86_64 = env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "x86_64");
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".to_owned());

    for entry in fs::read_dir("tracees").expect("the folder of the tracees") {
        let source = entry.expect("an entry of the folder").path();
        let name = source.file_stem().and_then(|stem| stem.to_str()).expect("an ASCII name").to_owned();
        let only_x86 = matches!(name.as_str(), "int80" | "i386" | "i386_data" | "i386spin" | "emulated");
        match source.extension().and_then(|extension| extension.to_str()) {
            _ if only_x86 && !x86_64 => {}
            Some("c") => run(Command::new(&compiler)
                .args(["-D_GNU_SOURCE", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-pthread", "-o"])
                .args([&out.join(&name), &source])),
            Some("S") => assemble(&source, &out.join(&name)),
            _ => {}
        }
    }
}

/// A 32-bit program from assembly: needs binutils only, no 32-bit C library.
fn assemble(source: &Path, program: &Path) {
    let object = program.with_extension("o");
    run(Command::new("as").arg("--32").arg("-o").args([&object, source]));
    run(Command::new("ld").args(["-m", "elf_i386", "-o"]).args([program, &object]));
}
