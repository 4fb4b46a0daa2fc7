//! Compiles the BPF programs and generates their skeletons into `OUT_DIR`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use libbpf_cargo::SkeletonBuilder;
use libbpf_rs::btf::{Btf, BtfType, TypeId};

/// FNV-1a over the sources: changes whenever one of them does, so that two versions never share a loaded instance.
fn layout() -> u64 {
    let mut files: Vec<PathBuf> =
        fs::read_dir("src/bpf").expect("the sources").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let bytes = files.iter().flat_map(|file| fs::read(file).expect("a source"));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The names of the types in an object's BTF, without flavours.
fn names(object: &Path) -> Vec<String> {
    let btf = Btf::from_path(object).expect("the object's BTF");
    let count = u32::try_from(btf.len()).expect("few types");
    let types = (1..count).filter_map(|id| btf.type_by_id::<BtfType<'_>>(TypeId::from(id)));
    let named = types.filter(|kind| kind.is_composite() || kind.is_any_enum());
    let names = named.filter_map(|kind| Some(kind.name()?.to_str()?.to_owned()));
    names.map(|name| name.split("___").next().unwrap_or(&name).to_owned()).collect()
}

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    println!("cargo:rerun-if-changed=src/bpf");
    println!("cargo:rustc-env=SECCOMP_TRACE_BPF_LAYOUT={:016x}", layout());
    let mut touched = BTreeSet::new();
    for name in ["recorder", "seed", "tally", "denials", "live"] {
        let object = out.join(format!("{name}.bpf.o"));
        SkeletonBuilder::new()
            .obj(&object)
            .source(format!("src/bpf/{name}.bpf.c"))
            // v3 has the compare-and-swap; the kernels that can run the programs at all have it.
            .clang_args(["-mcpu=v3", "-Wall", "-Werror"])
            .build_and_generate(out.join(format!("{name}.skel.rs")))
            .unwrap_or_else(|error| panic!("cannot build {name}.bpf.c (is clang installed?): {error:#}"));
        touched.extend(names(&object));
    }
    fs::write(out.join("names.rs"), format!("{:?}", Vec::from_iter(touched))).expect("names.rs");
}
