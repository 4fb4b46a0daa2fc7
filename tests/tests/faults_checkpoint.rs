//! CRIU makes a checkpoint of what is observed: it stops all threads, and has each process make calls that are CRIU's.

use std::process::Command;

use seccomp_trace_tests::attach::{Tracee, recorded_while};
use seccomp_trace_tests::{calls, finish, full, harmless, privileged, say, scratch, workload};

/// Whether there is a CRIU that works with this kernel; else that is said.
fn criu() -> bool {
    let works = Command::new("criu").arg("check").output().is_ok_and(|output| output.status.success());
    if !works {
        say("left out: no CRIU that works with this kernel");
    }
    works
}

/// Makes a checkpoint of a process and its descendants, which go on.
fn checkpoint(pid: &str) {
    let images = scratch();
    let mut criu = Command::new("criu");
    criu.args(["dump", "--leave-running", "--shell-job", "-t", pid, "-D"]).arg(images.path());
    drop(finish(&mut criu).success());
}

/// What is observed is observed still, in each of its threads and processes; and it goes on as it would.
#[test]
fn what_is_checkpointed_while_it_is_observed_is_recorded_before_and_after() {
    privileged!();
    if !criu() {
        return;
    }
    for _ in 0..if full() { 20 } else { 3 } {
        let mut target = Tracee::start("swarm", &["100"]);
        let pid = target.pid();
        let recording = recorded_while(&["-p", &pid], || {
            checkpoint(&pid);
            checkpoint(&pid);
            target.go_on();
        });
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
        let missed = &calls(harmless()) - &workload(&recording);
        assert!(missed.is_empty(), "{missed:?}");
    }
}
