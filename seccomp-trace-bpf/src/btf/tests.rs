use std::collections::BTreeMap;

use libbpf_rs::btf::types::{Enum, Struct};
use libbpf_rs::btf::{Btf, BtfType, TypeId};

use super::*;

/// What libbpf reads of the types that our programs touch: for each name, the members or values, in order.
fn shapes(btf: &Btf<'_>) -> BTreeMap<String, Vec<String>> {
    let kind = |id: TypeId| {
        btf.type_by_id::<BtfType<'_>>(id)
            .map(|member| format!("{:?}", member.skip_mods_and_typedefs().kind()))
    };
    let mut shapes = BTreeMap::new();
    for found in btf.type_by_kind::<Struct<'_>>() {
        let members =
            found.iter().map(|member| format!("{:?} {:?} {:?}", member.name, member.attr, kind(member.ty)));
        shapes.insert(text(found.name()), members.collect());
    }
    for found in btf.type_by_kind::<Enum<'_>>() {
        let values = found.iter().map(|member| format!("{:?} {}", member.name, member.value));
        shapes.insert(text(found.name()), values.collect());
    }
    shapes.retain(|name, _| NAMES.contains(&name.split("___").next().unwrap_or(name)));
    shapes
}

fn text(name: Option<&std::ffi::OsStr>) -> String {
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The oracle is libbpf: it must find in the reduced BTF what it finds in the kernel's.
#[test]
fn libbpf_finds_the_same_types_in_the_reduced_btf() {
    let Ok(kernel) = Btf::from_vmlinux() else { return println!("left out: this kernel has no BTF") };
    let reduced = Btf::from_path(path().unwrap()).unwrap();
    assert!(reduced.len() * 20 < kernel.len(), "{} of {} types", reduced.len(), kernel.len());
    let (expected, found) = (shapes(&kernel), shapes(&reduced));
    for name in ["task_struct", "pt_regs", "seccomp", "cgroup", "cgroup_subsys_id", "bpf_func_id"] {
        assert!(expected.contains_key(name), "{name}");
    }
    assert_eq!(found, expected);
    let typedef = kernel.type_by_id::<BtfType<'_>>(TypeId::from(sys_enter().unwrap())).unwrap();
    assert_eq!(text(typedef.name()), "btf_trace_sys_enter");
}

/// It is read as root, and another kernel may have kinds of types that do not exist yet.
#[test]
fn what_is_no_btf_is_left_to_libbpf() {
    let whole = {
        // A pointer, an integer, and a structure with the two as members.
        let names = b"\0task_struct\0a\0b\0int\0";
        let words: [u32; 16] = [0, 2 << 24, 2, 17, 1 << 24, 4, 32, 1, 4 << 24 | 2, 16, 13, 1, 0, 15, 2, 64];
        let types: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_ne_bytes();
        let sizes = [24_u32.to_ne_bytes(), [0; 4], len(&types), len(&types), len(names)].concat();
        [&0xeb9f_u16.to_ne_bytes()[..], &[1, 0], &sizes, &types, names].concat()
    };
    let read = |bytes: &[u8]| Raw::parse(bytes).and_then(|raw| reduce(&raw, &["task_struct"]));
    let reduced = read(&whole).unwrap();
    assert_eq!(read(&reduced).unwrap(), reduced, "nothing more can be left out");
    for len in 0..whole.len() - 1 {
        let _ = read(&whole[..len]);
    }
    assert!(read(&whole[..40]).is_none());
    for at in 0..whole.len() {
        for value in [0, 0x7f, 0xff] {
            let mut broken = whole.clone();
            broken[at] = value;
            let _ = read(&broken);
        }
    }
    let mut unknown = whole;
    unknown[24 + 7] = 31;
    assert!(read(&unknown).is_none(), "a kind that is not known");
}
