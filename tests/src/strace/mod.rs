//! strace as an independent recorder, in the same run: strace outside, `seccomp-trace run` inside, and of strace's
//! lines only those of the command and its descendants.
//!
//! Expected differences, which both sides leave out: what the launcher does before the command's exec (and the exec
//! itself), and `restart_syscall`.

mod counts;
mod line;
mod subtree;

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_core::Syscall;

pub use counts::{Count, Counts, counts_of_command};
pub use subtree::{Confused, calls_of_command};

use crate::{Finished, finish, read_recording, scratch, seccomp_trace, workload};

/// What both recorders saw of one run.
#[derive(Debug)]
pub struct Both {
    /// Our recording's workload.
    pub recorded: BTreeSet<Syscall>,
    /// strace's calls of the command's subtree.
    pub strace: BTreeSet<Syscall>,
    /// How the run ended.
    pub finished: Finished,
}

/// Runs `command` under both recorders; it must end with 0.
#[must_use]
pub fn both(command: &[&str]) -> Both {
    let folder = scratch();
    let recording = folder.path().join("recording.json");
    let name = recording.to_str().expect("UTF-8");
    let (finished, log) = inside(&["-q", "--recording", name], command);
    let strace = calls_of_command(&log, command[0])
        .unwrap_or_else(|error| panic!("strace's log is not understood: {error}"));
    let recording = read_recording(&recording);
    assert!(recording.losses().is_none(), "calls may be missing: {:?}", recording.losses());
    Both { recorded: workload(&recording), strace, finished }
}

/// Runs `command` inside `seccomp-trace run` with these options, and that inside strace: how it ended, which must be
/// with 0, and strace's log.
#[must_use]
pub fn inside(options: &[&str], command: &[&str]) -> (Finished, String) {
    let folder = scratch();
    let log = folder.path().join("strace.log");
    // -n prints each number, which tells the ABI: strace says in which mode a process runs only on standard error.
    // pidns: a process in a pid namespace of its own knows its children by other numbers than strace does.
    let finished = finish(
        Command::new("strace")
            .args(["-f", "-n", "-qq", "--decode-pids=pidns", "-o"])
            .arg(&log)
            .arg("--")
            .arg(seccomp_trace())
            .arg("run")
            .args(options)
            .arg("--")
            .args(command),
    )
    .success();
    let text = String::from_utf8_lossy(&std::fs::read(&log).expect("strace writes its log")).into_owned();
    (finished, text)
}
