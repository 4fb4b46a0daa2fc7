//! What the user should know about a generated profile.

use std::fmt;

use crate::{Action, Reason};

/// Something about a profile that is no error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Warning {
    /// Nothing was recorded that the profile could be made of.
    NothingRecorded,
    /// `io_uring_setup` is allowed by this profile's own rules.
    IoUring,
    /// The base denies calls that the profile needs whatever was recorded.
    BlockedByBase {
        /// The calls, by name.
        names: Vec<String>,
        /// Why they are needed.
        reason: Reason,
    },
    /// The base restricts `socket` by its arguments, and 32-bit x86 code runs.
    SocketOfI386,
    /// The base's default action was replaced.
    DefaultAction {
        /// What it was.
        was: Action,
    },
    /// x32 calls were recorded, so the profile allows its names in that ABI too.
    X32,
    /// A captured argument had bits in its upper half, which the kernel ignores and a filter compares.
    UpperHalf {
        /// The call, which is allowed with any argument.
        name: String,
    },
    /// A rule of the base has no names: engines drop it, crun refuses it.
    EmptyBaseRule {
        /// Its position.
        index: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingRecorded => f.write_str("no syscall of a workload was recorded"),
            Self::IoUring => f.write_str(
                "io_uring_setup was recorded: operations that go through io_uring are not syscalls, so they were \
                 not recorded, and no seccomp filter restricts them",
            ),
            Self::BlockedByBase { names, reason } => {
                let names = names.join(", ");
                match reason {
                    Reason::Baseline(runtimes) | Reason::RuntimeInit(runtimes) if !runtimes.is_empty() => {
                        let runtimes = runtimes.iter().map(String::as_str).collect::<Vec<_>>().join(" and ");
                        write!(f, "the base profile denies calls that {runtimes} must make to start a container: {names}")
                    }
                    _ => write!(f, "the base profile denies what every program may need: {names}"),
                }
            }
            Self::SocketOfI386 => f.write_str(
                "the base profile restricts socket by its arguments; for 32-bit x86 code, which is in use here, \
                 libseccomp cannot look into socketcall, so the restriction does not hold there",
            ),
            Self::DefaultAction { was } => {
                write!(f, "the base profile's default action was {was}; it is SCMP_ACT_ERRNO now")
            }
            Self::X32 => f.write_str(
                "x32 calls were recorded (a probe, or a program of that ABI): the profile lists SCMP_ARCH_X32, which \
                 allows every name in that ABI too",
            ),
            Self::UpperHalf { name } => write!(
                f,
                "{name} was called with garbage in the upper half of its argument, which the kernel ignores and a \
                 filter does not: it is allowed with any argument"
            ),
            Self::EmptyBaseRule { index } => {
                write!(f, "the base profile's rule syscalls[{index}] has no names: some runtimes refuse it")
            }
        }
    }
}
