//! What is to be observed.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::{Container, Runtime, Tgid};

/// The user that a command runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Real, effective and saved user id.
    pub uid: u32,
    /// Real, effective and saved group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// A seccomp filter to be installed for a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeccompFilter {
    /// The instructions: `struct sock_filter`s in this machine's byte order.
    pub program: Vec<u8>,
    /// Whether `no_new_privs` is set first, which a process without `CAP_SYS_ADMIN` must do. Programs with the
    /// set-user-id bit then run without it.
    pub no_new_privs: bool,
}

/// A command to be launched. What is not given here is the caller's own: working directory, umask, file
/// descriptors, resource limits, terminal.
///
/// ```
/// let spec = seccomp_trace_core::CommandSpec::new("ls").arg("-l").arg("/");
/// assert_eq!(spec.program, "ls");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct CommandSpec {
    /// The program: a path, or a name that is looked up in `PATH`.
    pub program: OsString,
    /// The arguments, without the program's name.
    pub args: Vec<OsString>,
    /// The whole environment as `NAME=value` strings; `None`: the caller's.
    pub env: Option<Vec<OsString>>,
    /// The user to run as; `None`: the caller.
    pub credentials: Option<Credentials>,
    /// Whether the recording may hold the arguments (they may be secrets).
    pub record_args: bool,
    /// Whether the command starts with `SIGPIPE` ignored. The standard library ignores it in every Rust program
    /// and, as here, gives children the default back; a program that was itself started with it ignored can hand
    /// that on.
    pub ignore_sigpipe: bool,
    /// Signals, by the kernel's numbers, that the command gets with their default action, though this process ignores
    /// them.
    pub default_signals: Vec<i32>,
    /// The filter that it runs under, installed as the last thing before it is executed: the filter decides about the
    /// `execve` already.
    pub filter: Option<SeccompFilter>,
}

impl CommandSpec {
    /// A command without arguments.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: None,
            credentials: None,
            record_args: false,
            ignore_sigpipe: false,
            default_signals: Vec::new(),
            filter: None,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds several arguments.
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets the whole environment (`NAME=value` strings).
    pub fn env(mut self, env: Vec<OsString>) -> Self {
        self.env = Some(env);
        self
    }

    /// Sets the user to run as.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Starts the command with `SIGPIPE` ignored.
    pub fn ignore_sigpipe(mut self, yes: bool) -> Self {
        self.ignore_sigpipe = yes;
        self
    }

    /// Gives the command the default action of a signal that this process ignores for itself alone.
    pub fn default_signal(mut self, number: i32) -> Self {
        self.default_signals.push(number);
        self
    }

    /// Runs the command under a filter.
    pub fn filter(mut self, filter: SeccompFilter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Keeps the arguments in the recording.
    pub fn record_args(mut self, yes: bool) -> Self {
        self.record_args = yes;
        self
    }
}

/// What runs already: processes, what is in a cgroup, or a container.
///
/// ```
/// use seccomp_trace_core::{RunningSpec, Tgid};
///
/// let two = RunningSpec::processes([Tgid(17), Tgid(18)]);
/// let with_what_enters_later = RunningSpec::processes([Tgid(17)]).cgroup("/sys/fs/cgroup/my.service");
/// # let _ = (two, with_what_enters_later);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
#[non_exhaustive]
pub struct RunningSpec {
    /// Processes, by their ids in the caller's pid namespace. Of a container: its init alone.
    pub pids: Vec<Tgid>,
    /// The directory of a cgroup: whoever is in it or below it, now or later, belongs to the target.
    pub cgroup: Option<PathBuf>,
    /// The container whose init the process is: what enters it later belongs to the target too.
    pub container: Option<Container>,
    /// What runs the container.
    pub runtime: Option<Runtime>,
}

impl RunningSpec {
    /// These processes.
    pub fn processes(pids: impl IntoIterator<Item = Tgid>) -> Self {
        Self { pids: pids.into_iter().collect(), ..Self::default() }
    }

    /// The container whose init `init` is.
    pub fn container(init: Tgid, container: Container, runtime: Option<Runtime>) -> Self {
        Self { container: Some(container), runtime, ..Self::processes([init]) }
    }

    /// Adds whoever is in the cgroup with this directory, or below it.
    pub fn cgroup(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cgroup = Some(directory.into());
        self
    }
}

/// What is to be observed, always with all threads and descendants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// A command that the collector launches, observed from its exec on.
    Command(CommandSpec),
    /// A process that is running already, by its id in the caller's pid namespace.
    Process(Tgid),
    /// What runs already; [`Process`](Self::Process) is the same of one process.
    Running(RunningSpec),
}
