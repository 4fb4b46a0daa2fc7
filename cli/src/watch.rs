//! Waiting for the end of what is observed: its own, a signal's, or that of a limit.

use std::time::{Duration, Instant};

use seccomp_trace_bpf::{BpfSession, Error};
use seccomp_trace_core::{NoSink, Recording, Session};

use crate::status::StatusLine;

/// How often what was seen so far is looked at, where anybody wants to know.
const TICK: Duration = Duration::from_secs(1);

/// What ends observation besides the target's own end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) max_time: Option<Duration>,
    pub(crate) quiet_for: Option<Duration>,
    /// The end of a launched command is enough; its descendants may live on.
    pub(crate) no_wait: bool,
}

/// Why observation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    TargetEnded,
    CommandEnded,
    Signal,
    MaxTime,
    Quiet,
}

/// What was seen by some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) elapsed: Duration,
    /// Since something was seen that had not been seen before, or since the beginning.
    pub(crate) nothing_new: Duration,
    pub(crate) processes: u64,
    pub(crate) syscalls: usize,
}

/// Follows how much was seen.
#[derive(Debug)]
struct Follow {
    started: Instant,
    last_new: Instant,
    seen: usize,
}

impl Follow {
    fn new(now: Instant) -> Self {
        Self { started: now, last_new: now, seen: 0 }
    }

    fn look(&mut self, recording: &Recording, now: Instant) -> Progress {
        // A new value of an argument changes the profile as a new call does.
        let phases = recording.calls().values().flat_map(|phases| phases.values());
        let seen = phases.map(|seen| 1 + seen.args.as_ref().map_or(0, |args| args.values.len())).sum();
        if seen != self.seen {
            (self.seen, self.last_new) = (seen, now);
        }
        Progress {
            elapsed: now.saturating_duration_since(self.started),
            nothing_new: now.saturating_duration_since(self.last_new),
            processes: recording.runs().values().map(|run| run.processes).sum(),
            syscalls: recording.calls().len(),
        }
    }
}

impl Limits {
    /// Which limit has been reached.
    fn reached(&self, progress: Progress) -> Option<Why> {
        if self.max_time.is_some_and(|limit| progress.elapsed >= limit) {
            return Some(Why::MaxTime);
        }
        self.quiet_for.filter(|limit| progress.nothing_new >= *limit).map(|_| Why::Quiet)
    }

    /// How long to wait before the next look.
    fn next_look(&self, progress: Progress, status: bool) -> Option<Duration> {
        let left = [
            self.max_time.map(|limit| limit.saturating_sub(progress.elapsed)),
            self.quiet_for.map(|limit| limit.saturating_sub(progress.nothing_new).min(TICK)),
            status.then_some(TICK),
        ];
        left.into_iter().flatten().min()
    }
}

/// Waits until observation is to end. `so_far` gets what was recorded whenever a signal asks for it.
pub(crate) fn watch(
    session: &mut BpfSession,
    limits: Limits,
    status: &mut Option<StatusLine>,
    mut so_far: impl FnMut(&Recording),
) -> Result<Why, Error> {
    let mut follow = Follow::new(Instant::now());
    loop {
        let looks = limits.max_time.is_some() || limits.quiet_for.is_some() || status.is_some();
        let mut timeout = None;
        if looks {
            let progress = follow.look(&session.snapshot()?, Instant::now());
            if let Some(why) = limits.reached(progress) {
                return Ok(why);
            }
            if let Some(status) = status {
                status.show(progress);
            }
            timeout = limits.next_look(progress, status.is_some());
        }
        if session.poll(timeout, &mut NoSink)? {
            return Ok(Why::TargetEnded);
        }
        if session.interrupted().is_some() {
            return Ok(Why::Signal);
        }
        if limits.no_wait && session.command_status().is_some() {
            return Ok(Why::CommandEnded);
        }
        if session.take_snapshot_wanted() {
            if let Some(status) = status {
                status.clear();
            }
            so_far(&session.snapshot()?);
        }
    }
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, Observation, Phase, Syscall};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn limits(max_time: Option<u32>, quiet_for: Option<u32>) -> Limits {
        let seconds = |number: u32| SECOND * number;
        Limits { max_time: max_time.map(seconds), quiet_for: quiet_for.map(seconds), no_wait: false }
    }

    /// What makes a recording saturated is that nothing new comes, not that nothing comes.
    #[test]
    fn only_what_was_not_seen_before_starts_the_quiet_anew() {
        let started = Instant::now();
        let mut follow = Follow::new(started);
        let mut recording = Recording::default();
        let mut at = |second: u32, recording: &Recording| follow.look(recording, started + SECOND * second);
        assert_eq!(at(2, &recording).nothing_new, SECOND * 2);
        recording.observe(Syscall::new(Arch::X86_64, 0), Phase::Workload, Observation::default());
        assert_eq!(at(3, &recording).nothing_new, Duration::ZERO);
        recording.observe(Syscall::new(Arch::X86_64, 0), Phase::Workload, Observation::default());
        let progress = at(10, &recording);
        assert_eq!((progress.nothing_new, progress.elapsed, progress.syscalls), (SECOND * 7, SECOND * 10, 1));
    }

    #[test]
    fn each_limit_ends_by_itself_and_none_ends_never() {
        let progress = Progress { elapsed: SECOND * 9, nothing_new: SECOND * 4, processes: 1, syscalls: 1 };
        assert_eq!(limits(None, None).reached(progress), None);
        assert_eq!(limits(Some(10), Some(5)).reached(progress), None);
        assert_eq!(limits(Some(9), None).reached(progress), Some(Why::MaxTime));
        assert_eq!(limits(None, Some(4)).reached(progress), Some(Why::Quiet));
        assert_eq!(limits(None, None).next_look(progress, false), None);
        assert_eq!(limits(Some(10), Some(5)).next_look(progress, false), Some(SECOND));
        assert_eq!(limits(Some(100), None).next_look(progress, false), Some(SECOND * 91));
    }
}
