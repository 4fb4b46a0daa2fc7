//! The calls that container runtimes make under the filter before they exec the program.
//!
//! The sets were measured on kernel 6.18, `x86_64`, with the runtimes of Debian 12: the calls between the installation
//! of the filter and the exec. With `no-new-privileges` the filter is installed later and fewer calls are needed; those
//! are a subset. The reasons are what the runtimes do there according to their sources; they were not measured.

/// The version of the tables. It changes whenever an entry does.
pub const BASELINE_VERSION: u32 = 1;

/// A call that a runtime makes under the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaselineEntry {
    /// The call.
    pub name: &'static str,
    /// Needed to start a container.
    pub run: bool,
    /// Needed to start another process in it (`podman exec`).
    pub exec: bool,
    /// What the runtime does with it.
    pub reason: &'static str,
}

/// The calls of one runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeBaseline {
    /// The runtime's name.
    pub runtime: &'static str,
    /// Which version, and how it is known.
    pub source: &'static str,
    /// The calls, by name.
    pub entries: &'static [BaselineEntry],
}

const fn both(name: &'static str, reason: &'static str) -> BaselineEntry {
    BaselineEntry { name, run: true, exec: true, reason }
}

const fn run(name: &'static str, reason: &'static str) -> BaselineEntry {
    BaselineEntry { name, run: true, exec: false, reason }
}

const fn exec(name: &'static str, reason: &'static str) -> BaselineEntry {
    BaselineEntry { name, run: false, exec: true, reason }
}

/// Every baseline.
pub const BASELINES: [RuntimeBaseline; 2] = [
    RuntimeBaseline {
        runtime: "crun",
        source: "crun 1.8 (Debian 12), measured with podman run and podman exec",
        entries: &[
            both("capset", "sets the program's capabilities"),
            both("close", "closes its own files before the exec"),
            both("execve", "executes the program"),
            exec("fchown", "gives the terminal to the program's user"),
            exec("ioctl", "makes the terminal the controlling one"),
            exec("openat", "opens files of /proc and the terminal"),
            both("prctl", "keeps capabilities over the change of user, sets the ambient ones"),
            run("pselect6", "waits for the start of the container"),
            both("read", "reads from the socket to its parent"),
            both("rt_sigaction", "resets signal handlers"),
            both("rt_sigprocmask", "unblocks signals"),
            exec("setgroups", "sets the program's groups"),
            both("setresgid", "sets the program's group"),
            both("setresuid", "sets the program's user"),
            exec("statx", "looks up the program and the terminal"),
            exec("umask", "sets the program's umask"),
            both("write", "reports to its parent"),
        ],
    },
    RuntimeBaseline {
        runtime: "runc",
        source: "runc 1.1 (Debian 12), measured with podman run and podman exec; rt_sigreturn in 150 starts",
        entries: &[
            both("capget", "reads its capabilities before it sets the program's"),
            both("capset", "sets the program's capabilities"),
            both("chdir", "enters the working directory"),
            both("close", "closes its own files before the exec"),
            both("epoll_ctl", "the Go runtime's poller, on a closing file"),
            both("execve", "executes the program"),
            both("faccessat2", "looks whether the program is executable"),
            both("fchown", "gives standard input and output to the program's user (--user)"),
            both("fcntl", "marks files close-on-exec"),
            both("fstat", "looks at standard input and output, and at opened files"),
            both("fstatfs", "makes sure that it reads the real /proc"),
            both("futex", "the Go runtime's threads"),
            both("getcwd", "makes sure that the working directory is inside the container"),
            both("getdents64", "lists /proc/self/fd"),
            both("getpid", "the Go runtime"),
            both("getppid", "makes sure that its parent is alive"),
            both("newfstatat", "looks up the program"),
            both("openat", "opens /proc/self/fd and the exec fifo"),
            both("prctl", "keeps capabilities over the change of user, sets the ambient ones"),
            both("read", "reads user and group files, and from its parent"),
            both("rt_sigreturn", "the Go runtime preempts with SIGURG: without it one start in ten dies"),
            both("setgid", "sets the program's group"),
            both("setgroups", "sets the program's groups"),
            both("setuid", "sets the program's user"),
            both("write", "reports to its parent, opens the exec fifo's other end"),
        ],
    },
];
