//! The result of observation: which syscalls were made, in which phases, and what may be missing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::{ArgValues, Comm, Losses, Phase, Run, RunId, Syscall, Tgid, Tid, Timestamp};

/// Who made a call first, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstSeen {
    /// When the call was entered.
    pub time: Timestamp,
    /// The process.
    pub pid: Tgid,
    /// The thread.
    pub tid: Tid,
    /// The thread's name at that moment.
    pub comm: Comm,
}

/// What is known of one syscall in one phase.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// Who made it first. `None` where the collector could not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstSeen>,
    /// How often it was made, if calls were counted; after a merge the most that one run made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The values of an argument, if it was captured; `None`: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<ArgValues>,
}

impl Observation {
    fn join(&mut self, other: Self) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.count = self.count.max(other.count);
        self.args = ArgValues::join(self.args.take(), other.args);
    }
}

/// A set of observed syscalls with provenance.
///
/// [`merge`](Self::merge) is a union: commutative, associative and idempotent, so recordings of many runs,
/// replicas and hosts can be combined in any order, and twice.
///
/// ```
/// use seccomp_trace_core::{Arch, Observation, Phase, Recording, Syscall};
///
/// let mut one = Recording::default();
/// one.observe(Syscall::new(Arch::X86_64, 0), Phase::Workload, Observation::default());
/// let mut two = Recording::default();
/// two.observe(Syscall::new(Arch::X86_64, 1), Phase::Workload, Observation::default());
///
/// one.merge(two);
/// let names: Vec<_> = one.syscalls(Phase::Workload).map(|call| call.to_string()).collect();
/// assert_eq!(names, ["read", "write"]);
/// assert_eq!(Recording::from_json(&one.to_json()).unwrap(), one);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recording {
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) calls: BTreeMap<Syscall, BTreeMap<Phase, Observation>>,
}

impl Recording {
    /// An empty recording of one run.
    #[must_use]
    pub fn of_run(id: RunId, run: Run) -> Self {
        Self { runs: BTreeMap::from([(id, run)]), calls: BTreeMap::new() }
    }

    /// Adds that `call` was made in `phase`; what is known of it already is joined with `observation`.
    pub fn observe(&mut self, call: Syscall, phase: Phase, observation: Observation) {
        match self.calls.entry(call).or_default().entry(phase) {
            Entry::Vacant(entry) => {
                entry.insert(observation);
            }
            Entry::Occupied(mut entry) => entry.get_mut().join(observation),
        }
    }

    /// Adds everything that `other` holds.
    pub fn merge(&mut self, other: Self) {
        for (id, run) in other.runs {
            match self.runs.entry(id) {
                Entry::Vacant(entry) => {
                    entry.insert(run);
                }
                Entry::Occupied(mut entry) => entry.get_mut().join(run),
            }
        }
        for (call, phases) in other.calls {
            for (phase, observation) in phases {
                self.observe(call, phase, observation);
            }
        }
    }

    /// The runs that this recording comes from.
    #[must_use]
    pub fn runs(&self) -> &BTreeMap<RunId, Run> {
        &self.runs
    }

    /// Every call that was observed, with what is known of it in each phase it was made in.
    #[must_use]
    pub fn calls(&self) -> &BTreeMap<Syscall, BTreeMap<Phase, Observation>> {
        &self.calls
    }

    /// The calls that were made in `phase`, those without a name included, in order.
    pub fn syscalls(&self, phase: Phase) -> impl Iterator<Item = Syscall> + '_ {
        self.calls.iter().filter(move |(_, phases)| phases.contains_key(&phase)).map(|(call, _)| *call)
    }

    /// What may be missing, summed over the runs.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.runs.values().fold(Losses::default(), |sum, run| Losses {
            storage_failures: sum.storage_failures.saturating_add(run.losses.storage_failures),
            lookup_failures: sum.lookup_failures.saturating_add(run.losses.lookup_failures),
            recursion_misses: sum.recursion_misses.saturating_add(run.losses.recursion_misses),
            number_overflow: sum.number_overflow.saturating_add(run.losses.number_overflow),
            unseeded: sum.unseeded.saturating_add(run.losses.unseeded),
        })
    }
}
