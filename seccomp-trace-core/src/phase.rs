//! When in a target's life a call was made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A stretch of a target's life, kept per thread.
///
/// A container's init goes from `Setup` to `RuntimeInit` when it has installed its filter, and to `Workload`
/// at its exec. A launched command goes from `Setup` to `Workload` at its exec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Phase {
    /// Before a filter would be in force: the launcher's or the runtime's own preparation.
    Setup,
    /// Between the installation of the filter and the exec: the runtime's calls that the filter must allow.
    RuntimeInit,
    /// From the exec on: the program itself and its descendants.
    Workload,
}

impl Phase {
    /// Every phase, in the order a target goes through them.
    pub const ALL: [Self; 3] = [Self::Setup, Self::RuntimeInit, Self::Workload];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Setup => "setup",
            Self::RuntimeInit => "runtime init",
            Self::Workload => "workload",
        })
    }
}
