//! What a filter says about a call.

use std::fmt;

use crate::Action;

/// The result of a seccomp filter, decoded (`SECCOMP_RET_…`, `include/uapi/linux/seccomp.h`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The process dies of SIGSYS. Also what the kernel makes of an unknown result.
    KillProcess,
    /// The thread dies of SIGSYS.
    KillThread,
    /// The thread gets SIGSYS.
    Trap,
    /// The call fails with this errno.
    Errno(u16),
    /// A supervisor decides.
    Notify,
    /// A tracer decides; the number is its message.
    Trace(u16),
    /// The call is logged and executed.
    Log,
    /// The call is executed.
    Allow,
}

impl Verdict {
    /// Whether the kernel executes the call without asking anybody.
    #[must_use]
    pub const fn executes(self) -> bool {
        matches!(self, Self::Allow | Self::Log)
    }

    /// Whether the kernel refuses the call without asking anybody.
    #[must_use]
    pub const fn denies(self) -> bool {
        matches!(self, Self::KillProcess | Self::KillThread | Self::Trap | Self::Errno(_))
    }

    /// The action of a profile that gives it, and its number.
    pub(crate) const fn action(self) -> (Action, Option<u32>) {
        match self {
            Self::KillProcess => (Action::KillProcess, None),
            Self::KillThread => (Action::KillThread, None),
            Self::Trap => (Action::Trap, None),
            Self::Errno(code) => (Action::Errno, Some(code as u32)),
            Self::Notify => (Action::Notify, None),
            Self::Trace(message) => (Action::Trace, Some(message as u32)),
            Self::Log => (Action::Log, None),
            Self::Allow => (Action::Allow, None),
        }
    }

    /// Decodes the result of a filter: the upper half is the action, the lower half its data.
    #[must_use]
    pub const fn from_return(value: u32) -> Self {
        let [.., high, low] = value.to_be_bytes();
        let data = u16::from_be_bytes([high, low]);
        match value & 0xffff_0000 {
            0 => Self::KillThread,
            0x0003_0000 => Self::Trap,
            0x0005_0000 => Self::Errno(data),
            0x7fc0_0000 => Self::Notify,
            0x7ff0_0000 => Self::Trace(data),
            0x7ffc_0000 => Self::Log,
            0x7fff_0000 => Self::Allow,
            _ => Self::KillProcess,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillProcess => f.pad("SCMP_ACT_KILL_PROCESS"),
            Self::KillThread => f.pad("SCMP_ACT_KILL_THREAD"),
            Self::Trap => f.pad("SCMP_ACT_TRAP"),
            Self::Errno(code) => f.pad(&format!("SCMP_ACT_ERRNO {code}")),
            Self::Notify => f.pad("SCMP_ACT_NOTIFY"),
            Self::Trace(message) => f.pad(&format!("SCMP_ACT_TRACE {message}")),
            Self::Log => f.pad("SCMP_ACT_LOG"),
            Self::Allow => f.pad("SCMP_ACT_ALLOW"),
        }
    }
}
