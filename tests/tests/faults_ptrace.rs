//! Somebody else traces the same processes with ptrace(2): what the kernel makes is recorded, and nothing else.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_core::{Arch, Syscall};
use seccomp_trace_tests::attach::{Tracee, recorded_while};
use seccomp_trace_tests::{
    Running, assert_same, calls, finish, full, harmless, privileged, recorded, say, scratch, seccomp_trace,
    tracee, workload,
};

/// strace in the place of the command: both are recorded, and each call of the traced one once.
#[test]
fn a_command_that_is_a_tracer_is_recorded_with_whom_it_traces() {
    privileged!();
    let caller = tracee("caller");
    let words = ["strace", "-f", "-o", "/dev/null", "--", &caller];
    let own = ["getpgid", "sysinfo", "timerfd_create"];
    // strace's own calls depend on who is faster; of these it makes some as well, or none.
    let rare = calls(harmless());
    let (with, without) = (recorded(&[&words[..], &own].concat()).0, recorded(&words).0);
    assert!(without.is_superset(&calls(["ptrace"])), "{without:?}");
    assert_same(&(&(&with & &rare) - &without), &(&calls(own) - &without));
}

/// The kernel does not make what a tracer emulates, and makes what a tracer chooses.
#[test]
fn an_emulated_call_is_not_recorded_and_a_changed_one_as_what_it_became() {
    privileged!();
    if Arch::native() != Some(Arch::X86_64) {
        say("left out: the tracee is for x86_64 alone");
        return;
    }
    let emulated = tracee("emulated");
    let recorded = recorded(&[&emulated]).0;
    assert!(recorded.is_superset(&calls(["times", "sysinfo", "ptrace"])), "{recorded:?}");
    assert!(recorded.is_disjoint(&calls(["getpgid", "getsid"])), "{recorded:?}");
    // So a profile of that is enough: seccomp asks after the tracer as well.
    let folder = scratch();
    let profile = folder.path().join("p.json");
    let mut run = Command::new(seccomp_trace());
    drop(finish(run.args(["run", "-q", "-o"]).arg(&profile).args(["--", &emulated])).success());
    let mut under = Command::new(env!("CARGO_BIN_EXE_under"));
    let _ = finish(under.arg(&profile).arg(&emulated)).success();
    // Who looks for denials cannot tell the two apart, and says so.
    let mut verify = Command::new(seccomp_trace());
    let verify = finish(verify.args(["verify", "--profile"]).arg(&profile).args(["--", &emulated]));
    assert!(verify.stderr.contains("a tracer was attached, which may have skipped it"), "{verify:?}");
}

/// strace and `attach` at the same process at the same time, in either order.
#[test]
fn a_process_that_strace_follows_is_recorded_as_strace_sees_it() {
    privileged!();
    let own: Vec<_> = ["wait"].into_iter().chain(harmless()).collect();
    for round in 0..if full() { 20 } else { 4 } {
        let folder = scratch();
        let log = folder.path().join("strace.log");
        let mut target = Tracee::start("rare", &own);
        let pid = target.pid();
        let follow = || {
            let mut strace = Command::new("strace");
            let strace = Running::start(strace.args(["-f", "-n", "-p", &pid, "-o"]).arg(&log));
            strace.wait_for_error("attached");
            strace
        };
        let mut strace = (round % 2 == 0).then(follow);
        let recording = recorded_while(&["-p", &pid], || {
            let strace = strace.take().unwrap_or_else(follow);
            target.go_on();
            drop(strace.wait().success());
        });
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
        let log = std::fs::read(&log).expect("strace writes its log");
        assert_same(&workload(&recording), &numbers(&String::from_utf8_lossy(&log)));
    }
}

/// The calls of a log of `-n`: `PID [  NR] name(…`. A call that a stop interrupted begins again as `restart_syscall`.
fn numbers(log: &str) -> BTreeSet<Syscall> {
    let native = Arch::native().expect("tests run where recording works");
    let number = |line: &str| line.split_once('[')?.1.split_once(']')?.0.trim().parse().ok();
    let seen = log.lines().filter_map(number).map(|nr| Syscall::new(native, nr));
    seen.filter(|call| call.name() != Some("restart_syscall")).collect()
}
