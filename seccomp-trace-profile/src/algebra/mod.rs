//! Profiles as functions: merged, compared, contained in one another.

mod alike;
mod compare;
mod error;
mod merge;
#[cfg(feature = "libseccomp")]
mod proof;
mod write;

#[cfg(feature = "libseccomp")]
pub(crate) use compare::Args;
pub use compare::{Change, ChangeKind, Counterexample, Diff, Setting, diff, subset};
pub use error::AlgebraError;
pub use merge::{Combination, Merged, OnConflict, merge};
#[cfg(feature = "libseccomp")]
pub use proof::{Proof, prove};
