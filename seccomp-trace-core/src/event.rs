//! What a collector reports while it observes.

use crate::recording::FirstSeen;
use crate::{Call, Exited, Phase, Signal, Syscall, Tgid, Timestamp};

/// Something that happened in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A call was made that had not been made in this phase before.
    NewSyscall {
        /// The call.
        call: Syscall,
        /// When in the target's life.
        phase: Phase,
        /// By whom and when.
        first: FirstSeen,
    },
    /// A process of the target executed a program.
    Exec {
        /// The process.
        pid: Tgid,
        /// When.
        time: Timestamp,
    },
    /// A call of a live [`View`](crate::View).
    Call(Box<Call>),
    /// A signal was delivered.
    Signal(Signal),
    /// A thread ended.
    Exited(Exited),
    /// The last process of the target has ended.
    TargetEnded {
        /// When.
        time: Timestamp,
    },
}

/// What a [`Sink`] wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Flow {
    /// More events.
    Continue,
    /// No more events: the collector stops delivering them. The recording goes on until it is finished.
    Stop,
}

/// Takes events as they happen.
///
/// Events are a convenience: the recording is complete without them, and a slow sink costs events, never
/// recorded syscalls.
pub trait Sink {
    /// Takes one event.
    fn event(&mut self, event: &Event) -> Flow;

    /// `count` events more were dropped because the sink did not keep up.
    fn lost(&mut self, count: u64);
}

/// A sink that wants nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl Sink for NoSink {
    fn event(&mut self, _event: &Event) -> Flow {
        Flow::Stop
    }

    fn lost(&mut self, _count: u64) {}
}
