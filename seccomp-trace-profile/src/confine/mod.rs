//! Giving up what a tracer needs no more once its target is armed: what a program then does with data that the target
//! chose, it does with the privileges that are left, and with the system calls that it was recorded to make.

mod filter;
mod privileges;

use std::io;

pub use filter::profile;

use crate::ProfileError;

/// What the calling process still has to do. All else is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Sends signals to processes that may have become another user's: `CAP_KILL`.
    pub signals: bool,
    /// Writes files wherever the caller might, and gives them their owner and mode: `CAP_CHOWN`, `CAP_DAC_OVERRIDE`,
    /// `CAP_FOWNER`.
    pub files: bool,
    /// Writes to the system log.
    pub log: bool,
    /// Finishes containers that share an instance: `CAP_BPF` and `CAP_SYS_ADMIN`, for what is pinned where it cannot be
    /// seen and for a file system of our own.
    pub shared: bool,
}

/// Why not all was given up that should have been.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfineError {
    /// The kernel refused.
    #[error("cannot {doing}")]
    System {
        /// What it was asked to do.
        doing: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// The maps cannot be read without all privileges.
    #[error("the recording cannot be read with fewer privileges")]
    Unreadable,
    /// The filter could not be installed.
    #[error("cannot install this program's own seccomp filter")]
    Filter(#[source] ProfileError),
}

/// Gives up, for the calling thread and those that it will start, for ever:
/// - all capabilities but those of `needs`, also from the bounding and the ambient set. Before Linux 5.19 some systems
///   let only `CAP_BPF` read maps: it stays where `readable` says no without it;
/// - to gain any by executing a program (`no_new_privs`);
/// - to be traced by who has as few (`dumpable`): that could be the target itself;
/// - all system calls but those of [`profile`](profile()). Another one fails with `ENOSYS`, and is in the kernel's log.
///
/// The process must have no other thread. Whatever fails, the rest is done; nothing is to be undone.
///
/// # Errors
/// The first thing that failed.
pub fn confine(needs: Needs, readable: impl Fn() -> bool) -> Result<(), ConfineError> {
    let left = privileges::give_up(needs, readable);
    let filtered = filter::install(needs).map_err(ConfineError::Filter);
    left.and(filtered)
}
