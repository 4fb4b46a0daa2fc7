//! Why profiles could not be compared or merged.

use seccomp_trace_core::{Arch, Syscall};

use crate::{ArchToken, Verdict};

/// What the algebra refuses: it never gives a profile that means something else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlgebraError {
    /// The profile lists an architecture that this project has no table of.
    #[error(
        "architecture {token} is not one whose syscalls are known here; remove it from the profile's list"
    )]
    UnmodelledArch {
        /// The architecture.
        token: ArchToken,
    },
    /// Rules with different actions overlap, and libseccomp alone knows which counts.
    #[error("rules for {call} of {} overlap with different actions ({first} and {second}); make their conditions exclude each other", call.arch)]
    Ambiguous {
        /// The call.
        call: Syscall,
        /// The verdict of the earlier rule.
        first: Verdict,
        /// That of the later one.
        second: Verdict,
    },
    /// The conditions on a call fall into more pieces than a filter can hold.
    #[error("the conditions on {call} of {} fall into too many pieces for a filter", call.arch)]
    TooComplex {
        /// The call.
        call: Syscall,
    },
    /// No rules mean what the result should.
    #[error("no rules can say what the result does with {name:?} on {arch}: {why}")]
    NotExpressible {
        /// The call's name.
        name: String,
        /// The ABI where every attempt fails.
        arch: Arch,
        /// Why.
        why: &'static str,
    },
    /// Profiles deny a call in different ways, and the caller wants no order.
    #[error("the profiles disagree on {call} of {} ({first} and {second})", call.arch)]
    Conflict {
        /// The call.
        call: Syscall,
        /// One verdict.
        first: Verdict,
        /// The other.
        second: Verdict,
    },
    /// The profiles' defaults are two ways of denying, and the caller wants no order.
    #[error("the profiles disagree on calls that no rule is about ({first} and {second})")]
    ConflictOfDefaults {
        /// One verdict.
        first: Verdict,
        /// The other.
        second: Verdict,
    },
    /// The result asks a supervisor, and the profiles have different ones.
    #[error(
        "the profiles ask different supervisors ({0:?} and {1:?}), and a profile has one; make their listeners the same"
    )]
    Listeners(String, String),
    /// There is nothing to merge.
    #[error("no profile was given")]
    Nothing,
    /// The filter that libseccomp compiles from the result does not do what it should.
    #[cfg(feature = "libseccomp")]
    #[error(
        "this machine's libseccomp compiles the result to a filter that gives {found} for {call} of {} with arguments {args:?}, where it should give {expected}", call.arch
    )]
    Miscompiled {
        /// The call.
        call: Syscall,
        /// Its arguments.
        args: [u64; 6],
        /// What it should do.
        expected: Verdict,
        /// What it does.
        found: Verdict,
    },
    /// A profile cannot be used at all.
    #[error("a profile cannot be used")]
    Profile(#[from] crate::ProfileError),
}
