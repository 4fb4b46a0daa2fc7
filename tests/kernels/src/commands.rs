//! Commands that are launched under observation: the tracees, against strace in the same run.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{
    Arch, Collector, CommandSpec, Ended, NoSink, Phase, Recording, Session, Syscall, Target,
};
use seccomp_trace_tests::strace::both;
use seccomp_trace_tests::{assert_same, calls, finish, harmless, seccomp_trace};

use crate::Scenario::Trace;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("doctor", Trace, doctor),
    ("threads", Trace, || as_strace("threads", harmless())),
    ("vfork", Trace, || as_strace("vfork", ["getsid", "getpgid"])),
    ("clone3", Trace, || as_strace("clone3", ["clone3", "getsid"])),
    ("exec-by-thread", Trace, exec_by_thread),
    ("daemon", Trace, || as_strace("daemon", ["setsid", "timerfd_create", "inotify_init1"])),
    ("namespaces", Trace, || as_strace("unshare", ["getsid", "getpgid"])),
    ("setns", Trace, || as_strace("setns", ["getsid"])),
    #[cfg(target_arch = "x86_64")]
    ("int80", Trace, int80),
    #[cfg(target_arch = "x86_64")]
    ("i386", Trace, i386),
    ("numbers-out-of-range", Trace, odd_numbers),
    ("losses-are-read-back", Trace, losses),
    ("storm", Trace, storm),
];

/// Records a command with the library, to the end.
pub(crate) fn record(builder: seccomp_trace_bpf::TracerBuilder, program: &str, args: &[&str]) -> Recording {
    let tracer = builder.load().unwrap_or_else(|error| panic!("{error}"));
    let spec = CommandSpec::new(tracee(program)).args(args.iter().copied());
    let mut session = tracer.observe(Target::Command(spec)).unwrap_or_else(|error| panic!("{error}"));
    while !session.poll(None, &mut NoSink).unwrap_or_else(|error| panic!("{error}")) {}
    session.finish(Ended::TargetEnded).unwrap_or_else(|error| panic!("{error}"))
}

/// A tracee is recorded as strace sees it, and makes the calls that it is there for.
fn as_strace<'a>(program: &str, expected: impl IntoIterator<Item = &'a str>) {
    let both = both(&[&tracee(program)]);
    assert_same(&both.recorded, &both.strace);
    let missed: Vec<_> = calls(expected).difference(&both.recorded).copied().collect();
    assert!(missed.is_empty(), "not recorded: {missed:?}");
}

/// The thread's exec kills the leader. strace cannot judge that here: it may have seen a call of the leader that the
/// kernel then did not begin.
fn exec_by_thread() {
    let recording = record(Tracer::builder(), "exec_thread", &[]);
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    for call in calls(["execve", "getsid"]) {
        assert!(recording.syscalls(Phase::Workload).any(|recorded| recorded == call), "not recorded: {call}");
    }
}

/// The command says so too, after tracing a program.
fn doctor() {
    let doctor = finish(Command::new(seccomp_trace()).arg("doctor")).success();
    assert!(doctor.stdout.contains("This machine can trace."), "{doctor:?}");
}

/// Number 20 is getpid for i386 and writev for `x86_64`.
#[cfg(target_arch = "x86_64")]
fn int80() {
    let recorded = both(&[&tracee("int80")]);
    assert_same(&recorded.recorded, &recorded.strace);
    assert!(recorded.recorded.contains(&Syscall::from_name(Arch::X86, "getpid").expect("a call")));
    assert!(recorded.recorded.is_disjoint(&calls(["writev"])));
}

#[cfg(target_arch = "x86_64")]
fn i386() {
    let recording = record(Tracer::builder(), "i386", &[]);
    let expected =
        ["getpid", "getppid", "exit"].map(|name| Syscall::from_name(Arch::X86, name).expect("a call"));
    let compat: BTreeSet<_> =
        recording.syscalls(Phase::Workload).filter(|call| call.arch == Arch::X86).collect();
    assert_eq!(compat, BTreeSet::from(expected));
}

fn odd_numbers() {
    let both = both(&[&tracee("badnr")]);
    assert_same(&both.recorded, &both.strace);
    let numbers: BTreeSet<_> = both.recorded.iter().map(|call| call.nr.0).collect();
    assert!(numbers.is_superset(&BTreeSet::from([-1, 511, 9999, 0x0fff_ffff])), "{numbers:?}");
}

/// A loss that a program can cause at will comes back to the last one.
fn losses() {
    let recording = record(Tracer::builder(), "numbers", &["100000", "5000"]);
    let kept = recording.syscalls(Phase::Workload).filter(|call| call.nr.0 >= 100_000).count() as u64;
    assert!(recording.losses().number_overflow > 0);
    assert_eq!(kept + recording.losses().number_overflow, 5000, "kept {kept}");
}

/// Counted calls of several threads, with every other call in between: exact, and without a loss.
fn storm() {
    let recording = record(Tracer::builder().count_calls(true), "storm", &["1"]);
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    let names: BTreeSet<_> = recording.syscalls(Phase::Workload).collect();
    assert!(names.is_superset(&calls(harmless())));
    let getppid = calls(["getppid"]).into_iter().next().expect("a call");
    assert_eq!(recording.calls()[&getppid][&Phase::Workload].count, Some(1_000_000));
}
