//! A syscall: an ABI and a number in it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Arch, names};

/// The bit that marks an x32 call in `seccomp_data.nr` (`__X32_SYSCALL_BIT`).
pub const X32_SYSCALL_BIT: u32 = 0x4000_0000;

/// A syscall number as its ABI's table has it: 32 bits and signed, as in `seccomp_data.nr`; for x32 without
/// [`X32_SYSCALL_BIT`]. A program may pass any value; `-1` is a common probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SyscallNr(pub i32);

impl fmt::Display for SyscallNr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A syscall of a given ABI. The name is not stored: it follows from the two.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
///
/// let call = Syscall::from_name(Arch::X86, "getpid").unwrap();
/// assert_eq!(call.nr.0, 20);
/// assert_eq!(Syscall::new(Arch::X86_64, 20).name(), Some("writev"));
/// assert_eq!(Syscall::new(Arch::X86_64, 9999).to_string(), "syscall_9999");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Syscall {
    /// The ABI the call was made in.
    pub arch: Arch,
    /// Its number there.
    pub nr: SyscallNr,
}

impl Syscall {
    /// The call with this number, whether or not it has a name.
    #[must_use]
    pub const fn new(arch: Arch, nr: i32) -> Self {
        Self { arch, nr: SyscallNr(nr) }
    }

    /// The call that the kernel's table of `arch` lists under `name`, `None` where it lists none.
    #[must_use]
    pub fn from_name(arch: Arch, name: &str) -> Option<Self> {
        names::number(arch, name).map(|nr| Self::new(arch, nr))
    }

    /// The kernel's name of the call, `None` where the table has no such number.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        names::name(self.arch, self.nr.0)
    }

    /// The number as a seccomp filter sees it: with [`X32_SYSCALL_BIT`] for x32.
    #[must_use]
    #[expect(clippy::cast_sign_loss, reason = "the bits are what a filter compares")]
    pub const fn seccomp_nr(self) -> u32 {
        match self.arch {
            Arch::X32 => self.nr.0 as u32 | X32_SYSCALL_BIT,
            _ => self.nr.0 as u32,
        }
    }
}

impl fmt::Display for Syscall {
    /// The name, or `syscall_NR` where there is none, as strace prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("syscall_{}", self.nr)),
        }
    }
}
