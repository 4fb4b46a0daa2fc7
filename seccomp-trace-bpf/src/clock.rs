//! The kernel's clock of the recorded times, and wall-clock time.

use std::fs;
use std::sync::OnceLock;

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
        Self { offset: nanos(ClockId::CLOCK_REALTIME).saturating_sub(Self::boot_ns()) }
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

    /// Nanoseconds since boot, as BPF programs read them: whatever time namespace this process is in.
    pub(crate) fn boot_ns() -> u64 {
        static AHEAD: OnceLock<i64> = OnceLock::new();
        nanos(ClockId::CLOCK_BOOTTIME).saturating_add_signed(AHEAD.get_or_init(ahead).saturating_neg())
    }

    /// The wall-clock time of this moment.
    pub(crate) fn now(self) -> Timestamp {
        self.wall(Self::boot_ns())
    }
}

/// By how many nanoseconds `CLOCK_BOOTTIME` is ahead in this process's time namespace (`time_namespaces(7)`).
fn ahead() -> i64 {
    // The file is about the namespace of children yet to be made: it is ours, unless somebody has just unshared it.
    let namespace = |name: &str| fs::read_link(format!("/proc/self/ns/{name}")).ok();
    if namespace("time") != namespace("time_for_children") {
        return 0;
    }
    // There is none where the kernel knows no such namespaces.
    fs::read_to_string("/proc/self/timens_offsets").ok().and_then(|text| boottime(&text)).unwrap_or(0)
}

/// The offset of the clock in lines of "CLOCK SECONDS NANOSECONDS".
fn boottime(offsets: &str) -> Option<i64> {
    let mut words = offsets.lines().find_map(|line| line.strip_prefix("boottime"))?.split_whitespace();
    let (seconds, nanoseconds) = (words.next()?.parse::<i64>().ok()?, words.next()?.parse::<i64>().ok()?);
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

fn nanos(clock: ClockId) -> u64 {
    // Both clocks exist on every kernel that can trace.
    let time = clock_gettime(clock).map(std::time::Duration::from).unwrap_or_default();
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_of_a_time_namespace_is_read() {
        let offset =
            |seconds: &str| boottime(&format!("monotonic           0         0\nboottime    {seconds}\n"));
        assert_eq!(offset("1000000         5"), Some(1_000_000_000_000_005));
        assert_eq!(offset("     -3 500000000"), Some(-2_500_000_000));
        assert_eq!(offset("9223372036854775807 0"), None);
        assert_eq!(boottime(""), None);
    }
}
