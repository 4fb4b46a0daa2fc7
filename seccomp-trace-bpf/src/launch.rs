//! Launches a command as a shell would, held at a gate until it is under observation.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::signal::SigSet;
use nix::unistd::{self, ForkResult, Pid};
use seccomp_trace_core::CommandSpec;

use crate::image::Image;

/// Why a command was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The name or an argument holds a NUL byte.
    #[error("{0:?} holds a NUL byte, which no program can be given")]
    Nul(OsString),
    /// There is no such program.
    #[error("{}: command not found", program.display())]
    NotFound {
        /// The program, as it was given.
        program: OsString,
    },
    /// It is there, and the interpreter that it names (after `#!`, or of an ELF file) is not.
    #[error("cannot execute {}: the interpreter that it names does not exist", program.display())]
    NoInterpreter {
        /// The program, as it was given.
        program: OsString,
    },
    /// It cannot be executed.
    #[error("cannot execute {}", program.display())]
    NotExecutable {
        /// The program, as it was given.
        program: OsString,
        /// The kernel's answer to execve.
        source: io::Error,
    },
    /// The process cannot become the wanted user.
    #[error("cannot run as user {uid}")]
    User {
        /// The user.
        uid: u32,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The command cannot be put under the filter that it is to run under.
    #[error("cannot install the seccomp filter")]
    Filter {
        /// The kernel's answer.
        source: io::Error,
    },
    /// A call failed that has no reason to.
    #[error("cannot start {}: cannot {what}", program.display())]
    System {
        /// The program, as it was given.
        program: OsString,
        /// What was being done.
        what: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
}

/// What failed in the child, as it reports it over the pipe: a stage and an errno, both native-endian `i32`.
#[derive(Clone, Copy)]
#[repr(i32)]
pub(crate) enum Stage {
    User = 1,
    Exec = 2,
    Filter = 3,
}

/// What this process changed of its signals and the command must not inherit.
pub(crate) struct SignalState {
    /// The mask before signals were blocked.
    pub(crate) mask: SigSet,
    /// Whether `SIGCHLD` was ignored.
    pub(crate) ignores_children: bool,
}

/// A child that waits at its gate. Dropping it lets the gate's pipe close, and the child exits unseen.
pub(crate) struct Held {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
    gate: OwnedFd,
    report: OwnedFd,
    program: OsString,
    uid: u32,
}

impl Held {
    /// Forks the child. It inherits everything from the caller; its signals will be as `signals` has them.
    pub(crate) fn fork(spec: &CommandSpec, signals: &SignalState) -> Result<Self, LaunchError> {
        let image = Image::new(spec)?;
        let system = |what| {
            let program = spec.program.clone();
            move |errno: Errno| LaunchError::System { program, what, source: errno.into() }
        };
        let (gate_read, gate) = unistd::pipe2(OFlag::O_CLOEXEC).map_err(system("create a pipe"))?;
        let (report, report_write) = unistd::pipe2(OFlag::O_CLOEXEC).map_err(system("create a pipe"))?;
        // SAFETY: the child makes system calls on memory that was prepared above, allocates nothing, and never
        // returns from `Image::run`.
        let pid = match unsafe { unistd::fork() }.map_err(system("fork"))? {
            ForkResult::Child => {
                // The child's copy of the writing end would keep the gate from closing with the parent.
                drop(gate);
                image.run(&gate_read, &report_write, signals)
            }
            ForkResult::Parent { child } => child,
        };
        let pidfd = pidfd_open(pid).map_err(|source| LaunchError::System {
            program: spec.program.clone(),
            what: "refer to the new process",
            source,
        })?;
        let uid = spec.credentials.as_ref().map_or(0, |c| c.uid);
        Ok(Self { pid, pidfd, gate, report, program: spec.program.clone(), uid })
    }

    /// Opens the gate and waits for the exec. The child is reaped if it fails.
    pub(crate) fn release(self) -> Result<Child, LaunchError> {
        let Self { pid, pidfd, gate, report, program, uid } = self;
        let mut gate = std::fs::File::from(gate);
        let mut answer = Vec::new();
        // A child that was killed meanwhile has closed both pipes: its status tells, not an error here.
        let _ = gate.write_all(&[1]);
        let read = std::fs::File::from(report).read_to_end(&mut answer);
        let number = |at: usize| answer.get(at..at + 4).map(|b| i32::from_ne_bytes([b[0], b[1], b[2], b[3]]));
        let (Ok(8), Some(stage), Some(errno)) = (read, number(0), number(4)) else {
            return Ok(Child { pid, pidfd });
        };
        let _ = nix::sys::wait::waitpid(pid, None);
        let source = io::Error::from_raw_os_error(errno);
        Err(match Errno::from_raw(errno) {
            _ if stage == Stage::User as i32 => LaunchError::User { uid, source },
            _ if stage == Stage::Filter as i32 => LaunchError::Filter { source },
            Errno::ENOENT if is_there(&program) => LaunchError::NoInterpreter { program },
            Errno::ENOENT => LaunchError::NotFound { program },
            _ => LaunchError::NotExecutable { program, source },
        })
    }

    /// Lets the child exit without executing anything.
    pub(crate) fn abandon(self) {
        drop(self.gate);
        let _ = nix::sys::wait::waitpid(self.pid, None);
    }
}

/// Whether a program that was given as a path exists.
fn is_there(program: &OsStr) -> bool {
    program.as_bytes().contains(&b'/') && Path::new(program).exists()
}

/// A launched command.
pub(crate) struct Child {
    pub(crate) pid: Pid,
    pub(crate) pidfd: OwnedFd,
}

/// A pidfd of a process or, in a launched child, of a process that cannot have been reaped yet.
pub(crate) fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers; a non-negative result is a descriptor that nobody else owns.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0);
        match i32::try_from(fd) {
            Ok(fd) if fd >= 0 => Ok(OwnedFd::from_raw_fd(fd)),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandStatus {
    /// It exited with this code.
    Exited(i32),
    /// A signal of this number ended it.
    Signaled(i32),
}

/// What a child did since it was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    None,
    /// By this signal.
    Stopped(i32),
    Continued,
    Ended(CommandStatus),
}

impl Child {
    /// Reaps the child if it has ended. Never blocks.
    pub(crate) fn change(&self) -> io::Result<Change> {
        // SAFETY: `info` is a plain C struct that the kernel fills; zero is a valid value of all its fields.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let id = libc::id_t::try_from(self.pidfd.as_raw_fd()).unwrap_or(libc::id_t::MAX);
            let options = libc::WEXITED | libc::WSTOPPED | libc::WCONTINUED | libc::WNOHANG;
            if libc::waitid(libc::P_PIDFD, id, &mut info, options) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(match (info.si_pid(), info.si_code) {
                (0, _) => Change::None,
                (_, libc::CLD_EXITED) => Change::Ended(CommandStatus::Exited(info.si_status())),
                (_, libc::CLD_STOPPED) => Change::Stopped(info.si_status()),
                (_, libc::CLD_CONTINUED) => Change::Continued,
                (_, libc::CLD_KILLED | libc::CLD_DUMPED) => {
                    Change::Ended(CommandStatus::Signaled(info.si_status()))
                }
                _ => Change::None,
            })
        }
    }
}
