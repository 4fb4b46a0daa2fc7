//! Commands that are launched under observation: the tracees, against strace in the same run.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_bpf::{Tracer, TracerBuilder};
use seccomp_trace_core::{
    Arch, Collector, CommandSpec, Ended, Event, Flow, NoSink, Phase, Recording, Session, Sink, Syscall,
    Target,
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
    ("i386", Trace, || compat("i386", Arch::X86)),
    #[cfg(target_arch = "aarch64")]
    ("arm", Trace, || compat("arm", Arch::Arm)),
    ("numbers-out-of-range", Trace, odd_numbers),
    ("losses-are-read-back", Trace, losses),
    ("storm", Trace, storm),
    ("births-execs-and-ends", Trace, family),
];

/// Records a command with the library, to the end.
pub(crate) fn record(builder: TracerBuilder, program: &str, args: &[&str]) -> Recording {
    record_into(builder, program, args, &mut NoSink)
}

fn record_into(builder: TracerBuilder, program: &str, args: &[&str], sink: &mut impl Sink) -> Recording {
    let tracer = builder.load().unwrap_or_else(|error| panic!("{error}"));
    let spec = CommandSpec::new(tracee(program)).args(args.iter().copied());
    let mut session = tracer.observe(Target::Command(spec)).unwrap_or_else(|error| panic!("{error}"));
    while !session.poll(None, sink).unwrap_or_else(|error| panic!("{error}")) {}
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

/// A 32-bit program. Its getpid is writev, or nothing, for the machine's own programs.
fn compat(program: &str, arch: Arch) {
    let recording = record(Tracer::builder(), program, &[]);
    let expected = ["getpid", "getppid", "exit"].map(|name| Syscall::from_name(arch, name).expect("a call"));
    let compat: BTreeSet<_> = recording.syscalls(Phase::Workload).filter(|call| call.arch == arch).collect();
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

/// Sixteen processes that fork, clone, exec and end at the same time: on kernels that preempt programs, those that keep
/// membership are skipped for some of it, and their spares are not.
fn family() {
    const WIDTH: u64 = 16;
    const COUNT: u64 = 200;
    let mut execs = Execs::default();
    let builder = Tracer::builder().count_calls(true).events(true);
    let recording = record_into(builder, "family", &["16", "200"], &mut execs);
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    let made = |name: &str| {
        let call = calls([name]).into_iter().next().expect("a call");
        recording.calls().get(&call).and_then(|phases| phases.get(&Phase::Workload)?.count)
    };
    let (children, executed) = (WIDTH * COUNT, WIDTH * COUNT / 10);
    assert_eq!(made("getsid"), Some(2 * children));
    assert_eq!(made("getpgid"), Some(executed));
    let run = recording.runs().values().next().expect("a run");
    assert_eq!(run.processes, 1 + WIDTH + children);
    assert!(execs.seen <= 1 + executed && (execs.lost > 0 || execs.seen == 1 + executed), "{execs:?}");
}

#[derive(Debug, Default)]
struct Execs {
    seen: u64,
    lost: u64,
}

impl Sink for Execs {
    fn event(&mut self, event: &Event) -> Flow {
        self.seen += u64::from(matches!(event, Event::Exec { .. }));
        Flow::Continue
    }

    fn lost(&mut self, count: u64) {
        self.lost += count;
    }
}
