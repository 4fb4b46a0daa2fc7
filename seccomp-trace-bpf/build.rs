//! Compiles the BPF programs and generates their skeletons into `OUT_DIR`.

use std::env;
use std::path::PathBuf;

use libbpf_cargo::SkeletonBuilder;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-changed=src/bpf");
    for name in ["recorder", "seed"] {
        SkeletonBuilder::new()
            .source(format!("src/bpf/{name}.bpf.c"))
            // v3 has the compare-and-swap; the kernels that can run the programs at all have it.
            .clang_args(["-mcpu=v3", "-Wall", "-Werror"])
            .build_and_generate(out.join(format!("{name}.skel.rs")))
            .unwrap_or_else(|error| panic!("cannot build {name}.bpf.c (is clang installed?): {error:#}"));
    }
}
