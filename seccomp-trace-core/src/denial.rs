//! Calls that were not executed, and calls that are watched for being denied elsewhere.

use std::collections::BTreeMap;

use crate::{Arch, FirstSeen, Syscall, SyscallNr};

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// It was not executed and failed with this errno.
    Errno(u16),
    /// It was not executed, and the caller got a result that is no error. No filter does that by itself.
    Result,
    /// It was not executed, and the thread got `SIGSYS`.
    Signal,
    /// It was not executed, and its thread or process died.
    Killed,
    /// It was executed, and it is one of those that are [watched](Watch).
    Executed,
}

/// What else there was that can have kept a call from being executed, or made it seem so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Circumstances {
    /// A launched command had not executed its program yet.
    pub setup: bool,
    /// The thread had more filters than when it came under observation: programs may install some of their own.
    pub own_filters: bool,
    /// A tracer was attached to the thread (ptrace), which can skip calls.
    pub traced: bool,
    /// That tracer answers calls itself (`PTRACE_SYSEMU`).
    pub emulated: bool,
    /// Nothing of the thread had been seen before: it may have been inside the call when observation began, and then
    /// the call was executed.
    pub starting: bool,
}

/// Calls that had the same answer in the same circumstances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The call, as it was when its filters were asked.
    pub call: Syscall,
    /// What became of it.
    pub answer: Answer,
    /// What else there was.
    pub circumstances: Circumstances,
    /// How often.
    pub count: u64,
    /// Who made the first of them, and when.
    pub first: FirstSeen,
    /// How often with which arguments: the six registers, of a 32-bit caller their lower halves. Of watched calls the
    /// arguments that are not [tested](Watched::Tested) are 0.
    pub args: BTreeMap<[u64; 6], u64>,
    /// How many had other arguments than those, for which there was no room.
    pub others: u64,
}

/// All denials of a target so far, and what may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Denials {
    /// What was seen.
    pub all: Vec<Denial>,
    /// Calls that were not executed and found no room at all.
    pub overflow: u64,
    /// Threads whose calls could not be followed, and runs of a program that the kernel skipped: calls may be missing,
    /// and a call of such a thread may be taken for denied.
    pub unreliable: u64,
}

/// Whether executed calls are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Watched {
    /// They are not.
    Never,
    /// They are, with the first few arguments.
    Always,
    /// They are, with the arguments whose bits are set here, the first from the lowest; the others count as 0. For calls
    /// that a filter decides by these: up to 1024 different ones are kept.
    Tested(u8),
}

/// What is watched of one ABI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedAbi {
    /// By number.
    pub calls: BTreeMap<SyscallNr, Watched>,
    /// All other numbers.
    pub others: Watched,
}

/// Which calls are reported though they are executed. ABIs that are not listed are not watched.
pub type Watch = BTreeMap<Arch, WatchedAbi>;
