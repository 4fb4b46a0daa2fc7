//! The seam between those who observe and those who use what was observed.

use std::time::Duration;

use crate::{Ended, Recording, Sink, Target};

/// A way to observe targets. eBPF is the first; others (seccomp user notification) fit behind the same seam.
pub trait Collector {
    /// What can go wrong.
    type Error: std::error::Error + Send + Sync + 'static;
    /// A target under observation.
    type Session: Session<Error = Self::Error>;

    /// Puts `target` under observation. When this returns, every call that the target makes is being recorded;
    /// a launched command is then about to execute its program, or has.
    ///
    /// # Errors
    /// The target could not be put under observation; a command was then not started.
    fn observe(&self, target: Target) -> Result<Self::Session, Self::Error>;
}

/// A target under observation.
pub trait Session {
    /// What can go wrong.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Waits until something happens or `timeout` has passed (`None`: for ever), and hands events to `sink`.
    /// `true` once the last process of the target has ended.
    ///
    /// # Errors
    /// The kernel refused to be read.
    fn poll(&mut self, timeout: Option<Duration>, sink: &mut dyn Sink) -> Result<bool, Self::Error>;

    /// What has been seen so far. Reading takes nothing away and stops nothing.
    ///
    /// # Errors
    /// The kernel refused to be read.
    fn snapshot(&self) -> Result<Recording, Self::Error>;

    /// Ends observation and returns what was seen. `ended` is the caller's reason; a target whose last process
    /// has ended is recorded as [`Ended::TargetEnded`] whatever it says. Processes that live on are left alone.
    ///
    /// # Errors
    /// The kernel refused to be read.
    fn finish(self, ended: Ended) -> Result<Recording, Self::Error>;
}
