//! Compiles the BPF programs and generates their skeletons into `OUT_DIR`.

use std::path::PathBuf;
use std::{env, fs};

use libbpf_cargo::SkeletonBuilder;

/// FNV-1a over the sources: changes whenever one of them does, so that two versions never share a loaded instance.
fn layout() -> u64 {
    let mut files: Vec<PathBuf> =
        fs::read_dir("src/bpf").expect("the sources").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let bytes = files.iter().flat_map(|file| fs::read(file).expect("a source"));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-changed=src/bpf");
    println!("cargo:rustc-env=SECCOMP_TRACE_BPF_LAYOUT={:016x}", layout());
    for name in ["recorder", "seed", "denials", "tally"] {
        SkeletonBuilder::new()
            .source(format!("src/bpf/{name}.bpf.c"))
            // v3 has the compare-and-swap; the kernels that can run the programs at all have it.
            .clang_args(["-mcpu=v3", "-Wall", "-Werror"])
            .build_and_generate(out.join(format!("{name}.skel.rs")))
            .unwrap_or_else(|error| panic!("cannot build {name}.bpf.c (is clang installed?): {error:#}"));
    }
}
