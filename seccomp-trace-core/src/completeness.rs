//! What a recording may be missing, and why.

use serde::{Deserialize, Serialize};

/// When observation began, relative to the target's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Armed {
    /// Before the target's exec: everything the program did was seen.
    BeforeExec,
    /// The target was running already: what it had done before is unknown, which is no fault of the recording.
    Attached,
}

/// Everything that can make a recording miss a syscall, counted. All zero: nothing was missed.
///
/// Losses are counted where they happen, in the kernel; none of them is an estimate. `recursion_misses` is an upper
/// bound: the kernel counts runs for whatever task, and more of them than were lost where another program stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Losses {
    /// Tasks that could not be given task storage, so that they and their descendants went unseen.
    pub storage_failures: u64,
    /// Look-ups of task storage that failed on a task that has it (kernels before 6.2, on a busy CPU).
    pub lookup_failures: u64,
    /// Program runs that the kernel skipped because the program was active on that CPU already.
    pub recursion_misses: u64,
    /// Distinct numbers outside the table that found no room in the map for such numbers.
    pub number_overflow: u64,
    /// Tasks that may be the target's and were not found, or only some time after they came: they changed while
    /// a target that ran already was being put under observation.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unseeded: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Losses {
    /// Whether nothing was missed.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// One sentence per kind of loss that occurred, ready to be shown.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        [
            (self.storage_failures, "tasks could not be followed (no memory for task storage)"),
            (self.lookup_failures, "calls were seen but could not be assigned (task storage was busy)"),
            (self.recursion_misses, "runs of a tracing program were skipped by the kernel (recursion)"),
            (self.number_overflow, "unknown syscall numbers did not fit into their table"),
            (self.unseeded, "tasks came or went too fast to be found when observation began"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
    }

    /// The larger of each counter: two views of one run, the later of which saw more.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            storage_failures: self.storage_failures.max(other.storage_failures),
            lookup_failures: self.lookup_failures.max(other.lookup_failures),
            recursion_misses: self.recursion_misses.max(other.recursion_misses),
            number_overflow: self.number_overflow.max(other.number_overflow),
            unseeded: self.unseeded.max(other.unseeded),
        }
    }
}

/// Why observation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// It has not: this is a snapshot of a run that goes on.
    Running,
    /// The command ended and its descendants were not waited for.
    CommandEnded,
    /// Somebody asked for it while the target was alive.
    Interrupted,
    /// The last process of the target ended.
    TargetEnded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_loss_has_a_sentence() {
        let losses = Losses {
            storage_failures: 1,
            lookup_failures: 2,
            recursion_misses: 3,
            number_overflow: 4,
            unseeded: 5,
        };
        let reasons = losses.reasons();
        assert_eq!(reasons.len(), 5);
        assert!(reasons.iter().zip(1..).all(|(reason, n)| reason.starts_with(&format!("{n} "))));
        assert!(Losses::default().is_none() && Losses::default().reasons().is_empty());
    }
}
