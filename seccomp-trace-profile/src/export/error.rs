//! Why a profile cannot be put into a format.

use seccomp_trace_core::Arch;

use super::Format;
use crate::{Action, ArchToken, ProfileError};

/// Why a profile cannot be put into a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The text names no format.
    #[error("unknown format {text:?} (expected {})", names())]
    UnknownFormat {
        /// The text.
        text: String,
    },
    /// The profile cannot be used at all.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The file is neither a profile nor a recording, but looks like a recording.
    #[error(transparent)]
    Recording(#[from] seccomp_trace_core::RecordingError),
    /// The format cannot say what happens to calls that no rule is about.
    #[error("the format {format} cannot express the default action {action}")]
    DefaultAction {
        /// The format.
        format: Format,
        /// The profile's default action.
        action: Action,
    },
    /// The profile allows nothing, and an empty list would mean that there is no filter.
    #[error("the profile allows no call, and the format {format} takes an empty list for no filter at all")]
    NothingAllowed {
        /// The format.
        format: Format,
    },
    /// The format cannot say what happens to a call.
    #[error(
        "syscalls[{index}]: the format {format} cannot express {action} for {name:?} beside the other rules"
    )]
    Action {
        /// The format.
        format: Format,
        /// The rule's position in the profile.
        index: usize,
        /// The call.
        name: String,
        /// The rule's action.
        action: Action,
    },
    /// The format cannot look at arguments.
    #[error(
        "syscalls[{index}]: the format {format} has no place for the conditions on the arguments of {name:?}; \
         `--widen` allows the call with all arguments"
    )]
    Arguments {
        /// The format.
        format: Format,
        /// The rule's position in the profile.
        index: usize,
        /// The call.
        name: String,
    },
    /// The format's numbers are too small.
    #[error(
        "syscalls[{index}]: the format {format} cannot hold the number {value} of a condition of {name:?}"
    )]
    Number {
        /// The format.
        format: Format,
        /// The rule's position in the profile.
        index: usize,
        /// The call.
        name: String,
        /// The number.
        value: u64,
    },
    /// The format does not know an architecture.
    #[error("the format {format} does not know {token}")]
    Architecture {
        /// The format.
        format: Format,
        /// The architecture.
        token: ArchToken,
    },
    /// A filter was asked for an ABI that the profile does not cover.
    #[error("the profile does not cover {arch} on this kind of machine")]
    NotCovered {
        /// The ABI.
        arch: Arch,
    },
}

fn names() -> String {
    Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}
