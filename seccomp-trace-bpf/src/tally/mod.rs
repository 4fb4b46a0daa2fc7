//! A summary of calls: how often each was made, how often it failed, how long it took. Counted in the kernel, so it is exact
//! whatever the number of calls, and independent of what is recorded.

mod counting;
mod wire;

use std::time::Duration;

use seccomp_trace_core::{Comm, Phase, Syscall, Tgid, Tid};

pub(crate) use counting::Counting;

/// What calls are counted apart for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TallyBy {
    /// Nothing: one sum for the target.
    #[default]
    All,
    /// Each process.
    Process,
    /// Each thread.
    Thread,
    /// Each phase of a target's life.
    Phase,
}

/// What a call's time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TallyTime {
    /// The time that it was on a CPU: its work in the kernel, without what it waited for. Measured exactly, at the cost of a
    /// program at every switch of tasks.
    #[default]
    Cpu,
    /// All the time between its begin and its end.
    Wall,
}

/// What is to be counted, and how.
///
/// A call is counted at its end, as strace counts it: `exit_group`, which has none, and a call in which its caller was killed
/// are not in a summary. Calls before a command's exec are not its own, but that exec is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct TallySpec {
    pub(crate) by: TallyBy,
    pub(crate) time: TallyTime,
}

impl TallySpec {
    /// One sum for the target, with the time on a CPU.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts groups apart. At most 16384 pairs of a call and a group have room; further calls are counted in
    /// [`TallyGroup::Others`].
    pub fn by(mut self, by: TallyBy) -> Self {
        self.by = by;
        self
    }

    /// Which time is measured.
    pub fn time(mut self, time: TallyTime) -> Self {
        self.time = time;
        self
    }
}

/// Whose calls a row counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TallyGroup {
    /// The whole target's.
    All,
    /// A process's, with the name of its thread that made a call first.
    Process(Tgid, Comm),
    /// A thread's, with its name at its first call.
    Thread(Tid, Comm),
    /// A phase's.
    Phase(Phase),
    /// Those of groups that found no room.
    Others,
}

/// One call of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TallyRow {
    /// Whose.
    pub group: TallyGroup,
    /// Which.
    pub call: Syscall,
    /// How often it was made and ended.
    pub calls: u64,
    /// How often it ended with an error.
    pub errors: u64,
    /// How long it took, in total.
    pub time: Duration,
}

impl TallyRow {
    /// A row, for what is put together otherwise.
    #[must_use]
    pub fn new(group: TallyGroup, call: Syscall, calls: u64, errors: u64, time: Duration) -> Self {
        Self { group, call, calls, errors, time }
    }

    /// The mean time of one call; zero where none was made.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let nanos = self.time.as_nanos().checked_div(u128::from(self.calls)).unwrap_or_default();
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// A summary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tally {
    /// In the order of groups and calls.
    pub rows: Vec<TallyRow>,
    /// Calls with numbers outside the table that found no room: they are in no row.
    pub uncounted: u64,
    /// Program runs that the kernel skipped: at most so many calls are missing.
    pub missed: u64,
}
