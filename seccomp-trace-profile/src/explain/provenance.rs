//! Where a call was seen.

use seccomp_trace_core::{FirstSeen, Phase, Recording, RunId, Syscall};
use serde::Serialize;

/// That a recording holds a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// The recording's position among those given.
    pub recording: usize,
    /// The runs it comes from. A recording that was merged does not say which of them made the call.
    pub runs: Vec<RunId>,
    /// The call, by its ABI and number.
    pub call: Syscall,
    /// In which phase.
    pub phase: Phase,
    /// By whom first, and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<FirstSeen>,
    /// How often, where calls were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Every place where one of `calls` was seen.
pub(super) fn seen(calls: &[Syscall], recordings: &[Recording]) -> Vec<Seen> {
    let mut all = Vec::new();
    for (position, recording) in recordings.iter().enumerate() {
        for call in calls {
            for (phase, observation) in recording.calls().get(call).into_iter().flatten() {
                all.push(Seen {
                    recording: position,
                    runs: recording.runs().keys().cloned().collect(),
                    call: *call,
                    phase: *phase,
                    first: observation.first,
                    count: observation.count,
                });
            }
        }
    }
    all
}
