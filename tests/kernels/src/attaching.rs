//! What runs already when observation begins.

use std::process::Command;

use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Collector, Ended, NoSink, Recording, RunningSpec, Session, Syscall, Target, Tgid};
use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::{calls, harmless, workload};

use crate::Scenario::Trace;
use crate::cgroups::Hierarchy;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("attach-to-a-busy-process", Trace, busy),
    ("attach-to-calls-in-flight", Trace, in_flight),
    ("attach-to-a-chain", Trace, chain),
    ("attach-to-a-cgroup-of-v2", Trace, || cgroup(Hierarchy::Unified)),
];

/// The controller does not come back to v2 from v1's hierarchy, so whoever needs it there comes before this.
pub(crate) const LAST: &[Test] = &[("attach-to-a-cgroup-of-pids", Trace, || cgroup(Hierarchy::Pids))];

fn started(name: &str, argument: &str) -> (Tracee, RunningSpec) {
    let tracee = Tracee::spawn(Command::new(tracee(name)).arg(argument));
    let spec = RunningSpec::processes([Tgid(tracee.pid().parse().expect("a number"))]);
    (tracee, spec)
}

/// Attaches, does `meanwhile`, and waits for the end.
fn recorded(spec: RunningSpec, meanwhile: impl FnOnce()) -> Recording {
    let tracer = Tracer::builder().cgroups(spec.cgroup.is_some()).load();
    let tracer = tracer.unwrap_or_else(|error| panic!("{error}"));
    let mut session = tracer.observe(Target::Running(spec)).unwrap_or_else(|error| panic!("{error}"));
    meanwhile();
    while !session.poll(None, &mut NoSink).unwrap_or_else(|error| panic!("{error}")) {}
    let recording = session.finish(Ended::TargetEnded).unwrap_or_else(|error| panic!("{error}"));
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    recording
}

fn assert_all_harmless(recording: &Recording) {
    let missed: Vec<_> = calls(harmless()).difference(&workload(recording)).copied().collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
}

/// Threads and children come and go while they are being found; none may be missed.
fn busy() {
    let (mut swarm, spec) = started("swarm", &(harmless().len() / 2).to_string());
    assert_all_harmless(&recorded(spec, || swarm.go_on()));
}

/// Its registers say what each thread waits in, and its status by which gate it came.
fn in_flight() {
    let (mut waiting, spec) = started("inflight", "");
    let seen = workload(&recorded(spec, || waiting.ends()));
    assert!(calls(["nanosleep", "read", "fcntl"]).is_subset(&seen), "{seen:?}");
    if cfg!(target_arch = "x86_64") {
        let pause = Syscall::from_name(seccomp_trace_core::Arch::X86, "pause").expect("i386 has it");
        assert!(seen.contains(&pause) && calls(["shmget"]).is_disjoint(&seen), "{seen:?}");
    }
}

fn chain() {
    for _ in 0..3 {
        let (mut chain, spec) = started("chain", "adopted");
        assert_all_harmless(&recorded(spec, || chain.ends()));
    }
}

/// Nobody but the cgroup tells whose the links of the chain are. They are taken over by their first ancestor all the same: the
/// virtual machine's own first process would leave them in the cgroup, and that in its hierarchy.
fn cgroup(hierarchy: Hierarchy) {
    let cgroup = hierarchy.cgroup("attach");
    let script = "echo $$ > \"$0/cgroup.procs\" && exec \"$1\" adopted";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(cgroup.path()).arg(tracee("chain"));
    let mut chain = Tracee::spawn(&mut command);
    let spec = RunningSpec::default().cgroup(cgroup.path());
    assert_all_harmless(&recorded(spec, || chain.ends()));
}
