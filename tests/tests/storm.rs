//! Nothing is lost under load: the truth is a set in the kernel, not a stream that a slow reader can lose.

use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::{
    Running, calls, full, pause, privileged, read_recording, scratch, seccomp_trace, tracee, workload,
};

/// Rare calls are made once each while both cores are busy with millions of others, and we are stopped.
#[test]
fn rare_calls_in_a_storm_are_recorded_while_the_recorder_is_stopped() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("recording.json");
    let millions = if full() { "200" } else { "20" };
    let run = Running::start(
        Command::new(seccomp_trace())
            .args(["run", "-q", "--recording"])
            .arg(&file)
            .arg("--")
            .args([&tracee("storm"), millions]),
    );
    assert_eq!(run.line(), "ready");
    run.signal(Signal::SIGSTOP);
    pause(1000);
    run.signal(Signal::SIGCONT);
    let finished = run.wait().success();

    let made = calls(finished.stdout.lines());
    assert!(made.len() >= 60, "the storm made only {} rare calls", made.len());
    let recording = read_recording(&file);
    assert!(recording.losses().is_none(), "calls may be missing: {:?}", recording.losses());
    let recorded = workload(&recording);
    assert!(recorded.is_superset(&made), "lost: {:?}", &made - &recorded);
}
