//! seccomp profiles: a lossless model of every dialect, and filters without a kernel.
#![forbid(unsafe_code)]

pub mod bpf;
mod errno;
mod error;
mod model;
mod verdict;

pub use errno::Errno;
pub use error::ProfileError;
#[cfg(feature = "libseccomp")]
pub use error::{Denial, Denials};
pub use model::{
    Action, ArchMapEntry, ArchToken, Arg, ArgIndex, Condition, KernelVersion, Operator, Profile, Rule,
};
pub use verdict::Verdict;
