//! What the caller decides about a profile.

use crate::{Baseline, Errno, KernelVersion, Profile};

/// Whether calls of the phase [`Setup`](seccomp_trace_core::Phase::Setup) count as the runtime's own under the
/// filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum SetupCalls {
    /// Where the recording is of containers alone and shows no filter being installed: the phase after it could
    /// not be told from the one before, and everything from the start of observation to the exec counts.
    /// The setup of a launched command never counts: it is this project's own.
    #[default]
    WithoutFilter,
    /// Never: the baseline alone provides the runtime's calls.
    Never,
}

/// What a profile is to be besides what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// A profile to extend. Its rules stay as they are, and decide about every name that they mention.
    pub base: Option<Profile>,
    /// The runtimes that the profile must be able to start a container with.
    pub baseline: Baseline,
    /// The errno of denied calls; `None`: the base's, or [`Errno::ENOSYS`] where it has none.
    pub errno: Option<Errno>,
    /// Denied calls that this kernel has fail with EPERM all the same ([`Errnos::EpermKnown`](crate::Errnos)).
    pub eperm_known: Option<KernelVersion>,
    /// Whether setup calls count.
    pub setup: SetupCalls,
    /// The runtime that was observed, for the comment; `None`: what the recording says.
    pub runtime: Option<String>,
    /// Whether arguments whose values were captured become conditions (default yes).
    pub conditions: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            base: None,
            baseline: Baseline::default(),
            errno: None,
            eperm_known: None,
            setup: SetupCalls::default(),
            runtime: None,
            conditions: true,
        }
    }
}
