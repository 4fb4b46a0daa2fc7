//! Recordings of the program under test, as sets of calls.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use seccomp_trace_core::{Arch, Phase, Recording, Syscall};

use crate::{Finished, finish, scratch, seccomp_trace};

/// Reads a recording file.
#[must_use]
pub fn read_recording(path: &Path) -> Recording {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("no recording at {}: {error}", path.display()));
    Recording::from_json(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", path.display()))
}

/// The calls of the workload, without `restart_syscall`: whether a sleep comes back as it depends on who was stopped
/// when, and strace itself stops.
#[must_use]
pub fn workload(recording: &Recording) -> BTreeSet<Syscall> {
    recording.syscalls(Phase::Workload).filter(|call| call.name() != Some("restart_syscall")).collect()
}

/// Records a command that must end with 0: its calls, and how the run ended.
#[must_use]
pub fn recorded(command: &[&str]) -> (BTreeSet<Syscall>, Finished) {
    let folder = scratch();
    let file = folder.path().join("recording.json");
    let finished = finish(
        Command::new(seccomp_trace()).args(["run", "-q", "--recording"]).arg(&file).arg("--").args(command),
    )
    .success();
    let recording = read_recording(&file);
    assert!(recording.losses().is_none(), "calls may be missing: {:?}", recording.losses());
    (workload(&recording), finished)
}

/// The native calls of these names.
#[must_use]
pub fn calls<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<Syscall> {
    let native = Arch::native().expect("tests run where recording works");
    names
        .into_iter()
        .map(|name| Syscall::from_name(native, name).unwrap_or_else(|| panic!("{native} has no call {name}")))
        .collect()
}

/// Panics with the differences unless both sets are the same.
pub fn assert_same(recorded: &BTreeSet<Syscall>, oracle: &BTreeSet<Syscall>) {
    let show = |calls: Vec<&Syscall>| {
        calls.iter().map(|call| format!("{}:{call}", call.arch)).collect::<Vec<_>>().join(" ")
    };
    let missed = show(oracle.difference(recorded).collect());
    let invented = show(recorded.difference(oracle).collect());
    assert!(
        missed.is_empty() && invented.is_empty(),
        "strace saw, and we did not: [{missed}]\nwe saw, and strace did not: [{invented}]"
    );
}
