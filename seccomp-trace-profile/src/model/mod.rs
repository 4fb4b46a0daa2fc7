//! The lossless model of seccomp profiles in JSON.
//!
//! Sources: the runtime-spec's `config-linux.md` and its JSON schema, containers-common's
//! `pkg/seccomp/types.go`, moby's `profiles/seccomp`.

mod action;
mod arch;
mod arg;
mod condition;
mod field;
mod profile;
mod rule;

pub use action::{Action, Operator};
pub use arch::{ArchMapEntry, ArchToken};
pub use arg::{Arg, ArgIndex};
pub use condition::{Condition, KernelVersion};
pub(crate) use field::Field;
pub use profile::Profile;
pub use rule::Rule;
