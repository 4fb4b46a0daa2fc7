//! The kernel's clock of the recorded times, and wall-clock time.

use nix::time::{ClockId, clock_gettime};
use seccomp_trace_core::Timestamp;

/// Turns `CLOCK_BOOTTIME` into UTC by an offset that is read once, so that the times of one run keep their order
/// whatever happens to the wall clock meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Clock {
    /// UTC minus boot time, in nanoseconds.
    offset: u64,
}

impl Clock {
    pub(crate) fn read() -> Self {
        Self { offset: nanos(ClockId::CLOCK_REALTIME).saturating_sub(nanos(ClockId::CLOCK_BOOTTIME)) }
    }

    /// A clock with a given offset, for tests.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) const fn fixed(offset: u64) -> Self {
        Self { offset }
    }

    /// The wall-clock time of a moment in boot time.
    pub(crate) fn wall(self, boot_ns: u64) -> Timestamp {
        Timestamp::from_unix_nanos(self.offset.saturating_add(boot_ns))
    }

    /// Nanoseconds since boot.
    pub(crate) fn boot_ns() -> u64 {
        nanos(ClockId::CLOCK_BOOTTIME)
    }

    /// The wall-clock time of this moment.
    pub(crate) fn now(self) -> Timestamp {
        self.wall(Self::boot_ns())
    }
}

fn nanos(clock: ClockId) -> u64 {
    // Both clocks exist on every kernel that can trace.
    let time = clock_gettime(clock).map(std::time::Duration::from).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
