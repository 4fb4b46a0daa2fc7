//! The kernel's BTF, reduced to the types that our programs touch.
//!
//! libbpf looks for each type that a program touches by walking through all that the kernel has, some 130,000: most of
//! the time that loading takes. Here one pass finds them all, and libbpf gets a BTF of only these (`btf_custom_path`),
//! as `bpftool gen min_core_btf` makes it. Where that cannot be done, libbpf does without.

mod raw;
mod reduce;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// Names of types in the BTF of our objects.
const NAMES: &[&str] = &include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// Where libbpf finds the reduced BTF; it is made once in the life of a process. `None`: use the kernel's.
pub(crate) fn path() -> Option<String> {
    static REDUCED: OnceLock<Option<File>> = OnceLock::new();
    let file = REDUCED.get_or_init(|| {
        let bytes = std::fs::read("/sys/kernel/btf/vmlinux").ok()?;
        let reduced = reduce::reduce(&bytes, NAMES)?;
        let mut file = File::from(memfd_create("btf", MFdFlags::MFD_CLOEXEC).ok()?);
        file.write_all(&reduced).ok()?;
        Some(file)
    });
    let path = format!("/proc/self/fd/{}", file.as_ref()?.as_raw_fd());
    std::fs::exists(&path).is_ok_and(|there| there).then_some(path)
}
