//! When: the times before a line, in the user's zone.

use std::time::Duration;

use nix::libc;
use seccomp_trace_core::Timestamp;

/// Which time stands before each line (`-t`, `-tt`, `-ttt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Stamp {
    #[default]
    None,
    Seconds,
    Microseconds,
    Unix,
}

/// What was chosen, and the line before.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    pub(crate) stamp: Stamp,
    /// The time since the line before (`-r`).
    pub(crate) relative: bool,
    last: Option<Timestamp>,
}

impl Clock {
    pub(crate) fn new(stamp: Stamp, relative: bool) -> Self {
        Self { stamp, relative, last: None }
    }

    /// What stands before a line about something that happened at `time`.
    pub(crate) fn prefix(&mut self, time: Timestamp) -> String {
        let since = time.since(Timestamp::from_unix_nanos(0));
        let mut text = match self.stamp {
            Stamp::None => String::new(),
            Stamp::Seconds => format!("{} ", time_of_day(since)),
            Stamp::Microseconds => format!("{}.{:06} ", time_of_day(since), since.subsec_micros()),
            Stamp::Unix => format!("{}.{:06} ", since.as_secs(), since.subsec_micros()),
        };
        if self.relative {
            // Lines are not always in the order of their times: none is before the one above it.
            let gap = self.last.map_or(Duration::ZERO, |last| time.since(last));
            let gap = format!("{:6}.{:06}", gap.as_secs(), gap.subsec_micros());
            text.push_str(&if self.stamp == Stamp::None { format!("{gap} ") } else { format!("(+{gap}) ") });
            self.last = self.last.max(Some(time));
        }
        text
    }
}

/// `HH:MM:SS` in the local time zone.
fn time_of_day(since: Duration) -> String {
    let seconds = libc::time_t::try_from(since.as_secs()).unwrap_or(libc::time_t::MAX);
    // SAFETY: both pointers are to plain data of ours that outlives the call; zero is a valid value of all fields.
    let local = unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const seconds, &raw mut local);
        local
    };
    format!("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_forms_of_strace() {
        let at = |micros: u64| Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + micros * 1000);
        let prefix = |stamp| Clock::new(stamp, false).prefix(at(42));
        assert_eq!(prefix(Stamp::None), "");
        assert_eq!(prefix(Stamp::Unix), "1700000000.000042 ");
        let (day, micros) = (prefix(Stamp::Seconds), prefix(Stamp::Microseconds));
        assert_eq!(micros, format!("{}.000042 ", day.trim_end()), "{day}");
        // Minutes and seconds are the same in nearly every zone.
        assert!(day.ends_with(":20 ") && day.len() == 9, "{day}");
    }

    #[test]
    fn a_relative_time_is_that_since_the_line_before() {
        let at = |micros: u64| Timestamp::from_unix_nanos(micros * 1000);
        let mut clock = Clock::new(Stamp::None, true);
        assert_eq!(clock.prefix(at(5)), "     0.000000 ");
        assert_eq!(clock.prefix(at(1_000_012)), "     1.000007 ");
        assert_eq!(clock.prefix(at(3)), "     0.000000 ", "out of order");
        let mut both = Clock::new(Stamp::Unix, true);
        assert_eq!(both.prefix(at(0)), "0.000000 (+     0.000000) ");
    }
}
