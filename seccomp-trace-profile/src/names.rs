//! The one place where names of calls in a recording and names in a profile differ.

use seccomp_trace_core::{Arch, Syscall};

/// Calls whose name in the number tables is not the one that libseccomp resolves: the table of 64-bit ARM has
/// the source's `__NR3264_fstatat` where 64-bit programs see `__NR_newfstatat`
/// (`include/uapi/asm-generic/unistd.h`), and that of i386 has `break`, a word of the Rust language, escaped.
const DIFFERENT: [(Arch, &str, &str); 2] =
    [(Arch::X86, "r#break", "break"), (Arch::Aarch64, "fstatat", "newfstatat")];

/// The name of a call in a profile: the one that libseccomp resolves, since every runtime compiles profiles
/// with it. `None` for a number that has no name.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::profile_name;
///
/// assert_eq!(profile_name(Syscall::new(Arch::X86, 20)), Some("getpid"));
/// assert_eq!(profile_name(Syscall::new(Arch::Aarch64, 79)), Some("newfstatat"));
/// assert_eq!(profile_name(Syscall::new(Arch::X86_64, -1)), None);
/// ```
#[must_use]
pub fn profile_name(call: Syscall) -> Option<&'static str> {
    let table = call.name()?;
    let different = DIFFERENT.iter().find(|(arch, name, _)| (*arch, *name) == (call.arch, table));
    Some(different.map_or(table, |(_, _, name)| name))
}

/// The call that a name in a profile stands for in one ABI, `None` where the ABI has none: the inverse of
/// [`profile_name`].
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::profile_call;
///
/// assert_eq!(profile_call(Arch::Aarch64, "newfstatat"), Some(Syscall::new(Arch::Aarch64, 79)));
/// assert_eq!(profile_call(Arch::Aarch64, "open"), None);
/// ```
#[must_use]
pub fn profile_call(arch: Arch, name: &str) -> Option<Syscall> {
    let different = DIFFERENT.iter().find(|(other, _, theirs)| (*other, *theirs) == (arch, name));
    let call = Syscall::from_name(arch, different.map_or(name, |(_, table, _)| table))?;
    Some(call).filter(|call| profile_name(*call) == Some(name))
}
