//! Exit statuses, as env, nohup and timeout have them.

use std::process::ExitCode;

use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use seccomp_trace_bpf::{CommandStatus, Error, LaunchError};

/// How this program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(u8),
    /// By the same signal as the command.
    Signal(i32),
}

impl Exit {
    pub(crate) const SUCCESS: Self = Self::Code(0);
    /// `doctor` found that this machine cannot trace.
    pub(crate) const FOUND: Self = Self::Code(1);
    /// A subcommand that runs nothing failed.
    pub(crate) const TROUBLE: Self = Self::Code(2);
    /// `run` failed, and it was not the command that did.
    pub(crate) const RUN_TROUBLE: Self = Self::Code(125);
    const NOT_EXECUTABLE: Self = Self::Code(126);
    const NOT_FOUND: Self = Self::Code(127);

    /// Ends this process so.
    pub(crate) fn leave(self) -> ExitCode {
        match self {
            Self::Code(code) => ExitCode::from(code),
            Self::Signal(number) => {
                die_of(number);
                // A signal whose default is not to kill; say what a shell would.
                ExitCode::from(u8::try_from(number.saturating_add(128)).unwrap_or(u8::MAX))
            }
        }
    }
}

impl From<CommandStatus> for Exit {
    fn from(status: CommandStatus) -> Self {
        match status {
            // The kernel keeps eight bits of a code.
            CommandStatus::Exited(code) => Self::Code(u8::try_from(code).unwrap_or(u8::MAX)),
            CommandStatus::Signaled(number) => Self::Signal(number),
            _ => Self::RUN_TROUBLE,
        }
    }
}

/// The status that an error itself asks for: that the command could not be executed.
pub(crate) fn status_of(error: &anyhow::Error) -> Option<Exit> {
    match error.downcast_ref::<Error>()? {
        Error::Launch(LaunchError::NotFound { .. } | LaunchError::NoInterpreter { .. }) => {
            Some(Exit::NOT_FOUND)
        }
        Error::Launch(LaunchError::NotExecutable { .. }) => Some(Exit::NOT_EXECUTABLE),
        _ => None,
    }
}

/// Kills this process with a signal, without a core file: the command has left one if it should.
fn die_of(number: i32) {
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    // SAFETY: system calls on plain data; the default disposition runs no code of ours. They are made directly because
    // the C library keeps signals 32 and 33 to itself.
    unsafe {
        // The kernel's struct sigaction begins with the handler on both ABIs; zero is SIG_DFL, and an empty mask.
        let default = [0u64; 8];
        let size = size_of::<u64>();
        libc::syscall(libc::SYS_rt_sigaction, number, default.as_ptr(), std::ptr::null_mut::<u64>(), size);
        let unblock = 1u64 << (number - 1);
        let none = std::ptr::null_mut::<u64>();
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_UNBLOCK, &raw const unblock, none, size);
        libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), number);
    }
}
