//! The kernel's BTF, reduced to the types that our programs touch.
//!
//! libbpf looks for each type that a program touches by walking through all that the kernel has, some 130,000: most of
//! the time that loading takes. Here one pass finds them all, and libbpf gets a BTF of only these (`btf_custom_path`),
//! as `bpftool gen min_core_btf` makes it. Where that cannot be done, libbpf does without.

mod image;
mod raw;
mod reduce;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

use image::Image;
use nix::sys::memfd::{MFdFlags, memfd_create};
use raw::Raw;
use reduce::reduce;

/// Names of types in the BTF of our objects.
const NAMES: &[&str] = &include!(concat!(env!("OUT_DIR"), "/names.rs"));

/// What is made of the kernel's BTF, once in the life of a process.
struct Reduced {
    file: File,
    sys_enter: Option<u32>,
}

fn reduced() -> Option<&'static Reduced> {
    static REDUCED: OnceLock<Option<Reduced>> = OnceLock::new();
    let make = || {
        let bytes = Image::of_kernel()?;
        let raw = Raw::parse(&bytes)?;
        let mut file = File::from(memfd_create("btf", MFdFlags::MFD_CLOEXEC).ok()?);
        file.write_all(&reduce(&raw, NAMES)?).ok()?;
        Some(Reduced { file, sys_enter: raw.find_typedef("btf_trace_sys_enter") })
    };
    REDUCED.get_or_init(make).as_ref()
}

/// Where libbpf finds the reduced BTF. `None`: use the kernel's.
pub(crate) fn path() -> Option<String> {
    let path = format!("/proc/self/fd/{}", reduced()?.file.as_raw_fd());
    std::fs::exists(&path).is_ok_and(|there| there).then_some(path)
}

/// The number of the type that stands for the tracepoint `sys_enter`, where it is known.
pub(crate) fn sys_enter() -> Option<u32> {
    reduced()?.sys_enter
}
