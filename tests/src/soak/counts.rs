//! What was done and found.

use std::collections::BTreeSet;
use std::fmt;

use seccomp_trace_core::{Recording, Syscall};

use crate::{say, workload};

/// Counts of one soak.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Commands under `run`.
    pub commands: u64,
    /// Processes that were attached to.
    pub attached: u64,
    /// Containers.
    pub containers: u64,
    /// Containers that were not started, because their hook was killed.
    pub not_started: u64,
    /// Recordings that were compared, and how many calls were in them.
    pub compared: u64,
    /// Calls in them.
    pub calls: u64,
    /// Recordings that say that they may be incomplete.
    pub lossy: u64,
    /// Tracers that were killed.
    pub tracers_killed: u64,
    /// Hooks that were killed.
    pub hooks_killed: u64,
    /// Tracers that were stopped and went on.
    pub stopped: u64,
    /// BPF objects that killed tracers had, and all of which are gone.
    pub objects: u64,
    /// Calls that were missed or invented, and commands and containers that were harmed.
    pub differences: u64,
    /// Files, processes, pins and BPF objects that are left.
    pub leftovers: u64,
}

impl Counts {
    /// Targets of all kinds.
    #[must_use]
    pub fn targets(&self) -> u64 {
        self.commands + self.attached + self.containers
    }

    /// Compares a recording with what was to be seen, both ways. One that says that it may be incomplete may lack calls, and
    /// is counted.
    pub(super) fn compare(&mut self, what: &str, recording: &Recording, expected: &BTreeSet<Syscall>) {
        let recorded = workload(recording);
        let complete = recording.losses().is_none();
        self.compared += 1;
        self.calls += recorded.len() as u64;
        self.lossy += u64::from(!complete);
        for (calls, word) in [(expected - &recorded, "missed"), (&recorded - expected, "invented")] {
            if !calls.is_empty() && (complete || word == "invented") {
                say(&format!("soak: {what}: {word}: {calls:?}"));
                self.differences += calls.len() as u64;
            }
        }
    }

    /// Counts a target that was harmed.
    pub(super) fn harmed(&mut self, what: &str, how: &str) {
        say(&format!("soak: {what}: {how}"));
        self.differences += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} targets ({} commands, {} processes attached to, {} containers of which {} not started)",
            self.targets(),
            self.commands,
            self.attached,
            self.containers,
            self.not_started
        )?;
        writeln!(
            f,
            "  {} recordings compared, {} calls in them; {} recordings say that they may be incomplete",
            self.compared, self.calls, self.lossy
        )?;
        writeln!(
            f,
            "  {} tracers and {} hooks killed, {} tracers stopped; {} BPF objects of killed tracers freed",
            self.tracers_killed, self.hooks_killed, self.stopped, self.objects
        )?;
        write!(f, "  {} differences, {} leftovers", self.differences, self.leftovers)
    }
}
