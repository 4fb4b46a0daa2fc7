//! What a recording shows to be needed.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Phase, Recording, Syscall};

use super::reason::runtime_name;
use super::{Policy, SetupCalls};
use crate::ProfileError;

/// The calls that a profile must allow, and where.
pub(super) struct Needs {
    /// The calls of the program.
    pub(super) workload: BTreeSet<Syscall>,
    /// The calls of the runtime under the filter.
    pub(super) runtime_init: BTreeSet<Syscall>,
    /// The runtimes that made them.
    pub(super) runtimes: BTreeSet<String>,
    /// The native ABIs of the machines. Not empty.
    pub(super) natives: BTreeSet<Arch>,
    /// The other ABIs that were used.
    pub(super) others: BTreeSet<Arch>,
}

impl Needs {
    pub(super) fn of(recording: &Recording, policy: &Policy) -> Result<Self, ProfileError> {
        let workload: BTreeSet<Syscall> = recording.syscalls(Phase::Workload).collect();
        let mut runtime_init: BTreeSet<Syscall> = recording.syscalls(Phase::RuntimeInit).collect();
        let runs = recording.runs();
        let only_containers = !runs.is_empty() && runs.values().all(|run| run.container.is_some());
        if policy.setup == SetupCalls::WithoutFilter && runtime_init.is_empty() && only_containers {
            runtime_init.extend(recording.syscalls(Phase::Setup));
        }

        let used: BTreeSet<Arch> = workload.union(&runtime_init).map(|call| call.arch).collect();
        let mut natives: BTreeSet<Arch> = runs.values().map(|run| run.host.arch).collect();
        natives.extend(used.iter().map(|arch| arch.native_of()));
        if natives.is_empty() {
            natives.insert(Arch::native().ok_or(ProfileError::UnknownNativeArch)?);
        }
        let others = used.difference(&natives).copied().collect();

        let runtimes = match &policy.runtime {
            Some(name) => runtime_name(name).into_iter().collect(),
            None => runs.values().filter_map(|run| runtime_name(&run.runtime.as_ref()?.name)).collect(),
        };
        Ok(Self { workload, runtime_init, runtimes, natives, others })
    }
}
