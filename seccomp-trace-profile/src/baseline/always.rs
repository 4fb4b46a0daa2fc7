//! Calls that every profile allows, whatever was recorded.

use seccomp_trace_core::Arch;

/// A call that is allowed in every profile for one of some ABIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Always {
    /// The call.
    pub name: &'static str,
    /// It is needed where the profile covers one of these.
    pub arches: &'static [Arch],
    /// Why.
    pub reason: &'static str,
}

/// The calls that no recording contains reliably, and whose absence is a crash later. By name.
pub const ALWAYS: [Always; 9] = [
    Always {
        name: "execve",
        arches: &Arch::ALL,
        reason: "the exec of the program itself happens under the filter",
    },
    Always { name: "exit", arches: &Arch::ALL, reason: "a thread cannot end without it" },
    Always { name: "exit_group", arches: &Arch::ALL, reason: "a process cannot end without it" },
    Always { name: "getcpu", arches: &[Arch::X86_64], reason: VSYSCALL },
    Always { name: "gettimeofday", arches: &[Arch::X86_64], reason: VSYSCALL },
    Always {
        name: "restart_syscall",
        arches: &Arch::ALL,
        reason: "the kernel resumes a sleep with it after the process was stopped and continued",
    },
    Always {
        name: "rt_sigreturn",
        arches: &Arch::ALL,
        reason: "the return from every signal handler, and signals come by chance",
    },
    Always {
        name: "sigreturn",
        arches: &[Arch::X86, Arch::Arm],
        reason: "the return from signal handlers of the old form in 32-bit code",
    },
    Always { name: "time", arches: &[Arch::X86_64], reason: VSYSCALL },
];

const VSYSCALL: &str =
    "old programs call it through the vsyscall page, which seccomp filters and no tracepoint shows";
