//! Kernels that preempt programs skip them for others meanwhile. What is skipped is counted, and said.

use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, umount2};
use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::Phase;
use seccomp_trace_tests::{calls, finish, read_recording, seccomp_trace};

use crate::Scenario::Preempted;
use crate::commands::record;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] =
    &[("misses-are-read-back", Preempted, counted), ("misses-are-said", Preempted, said)];

/// Without tracefs the perf tracepoint, where nothing is skipped, cannot be found.
fn without_tracefs() {
    let _ = umount2("/sys/kernel/tracing", MntFlags::MNT_DETACH);
    assert!(
        !std::fs::exists("/sys/kernel/tracing/events").expect("a path"),
        "tracefs is mounted elsewhere too"
    );
}

/// Of a million calls, what is not counted was skipped; others on that CPU are skipped as well.
fn counted() {
    without_tracefs();
    let recording = record(Tracer::builder().count_calls(true), "storm", &["1"]);
    let getppid = calls(["getppid"]).into_iter().next().expect("a call");
    let seen = recording.calls()[&getppid][&Phase::Workload].count.expect("counted");
    let misses = recording.losses().recursion_misses;
    println!("{seen} of 1000000 calls were seen, {misses} runs of programs skipped");
    assert!(misses > 0 && seen < 1_000_000, "{seen} seen, {misses} skipped: this kernel skips nothing");
    assert!(seen + misses >= 1_000_000, "{seen} seen, {misses} skipped");
}

/// The command says so, the recording holds the number, and `--strict` fails.
fn said() {
    without_tracefs();
    let recording = "/tmp/skipped-recording.json";
    let run = |options: &[&str]| {
        let mut command = Command::new(seccomp_trace());
        command.args(["run", "--recording", recording]).args(options);
        finish(command.args(["--", &tracee("storm"), "1"]))
    };
    let finished = run(&[]);
    assert_eq!(finished.code(), 0, "{finished:?}");
    let misses = read_recording(Path::new(recording)).losses().recursion_misses;
    assert!(misses > 0);
    let warning = format!("possibly incomplete: {misses} runs of a tracing program were skipped");
    assert!(finished.stderr.contains(&warning), "{finished:?}");
    let strict = run(&["--strict"]);
    assert_eq!(strict.code(), 125, "{strict:?}");
    assert!(strict.stderr.contains("which --strict forbids"), "{strict:?}");
}
