//! One syscall with its arguments and its result, as a live view shows it.

use std::time::Duration;

use crate::{Comm, Syscall, Tgid, Tid, Timestamp};

/// A call that a thread of a target made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The call.
    pub syscall: Syscall,
    /// The process.
    pub pid: Tgid,
    /// The thread, as it was numbered when it entered the call: an exec by another thread than the leader goes on under
    /// the leader's number.
    pub tid: Tid,
    /// The thread's name when it entered the call.
    pub comm: Comm,
    /// The registers at entry, in the order of the arguments; 32 bits each of a 32-bit caller, zero-extended. A call
    /// uses as many as its signature has, the rest is what happened to be there.
    pub args: [u64; 6],
    /// When it was entered. A call that was in flight when observation began: when that was.
    pub entered: Timestamp,
    /// How it went on.
    pub outcome: Outcome,
    /// What was read of the caller's memory and of the kernel's structures, in the order of the [`Read`]s that asked
    /// for it. What could not be read is there, and says so.
    ///
    /// [`Read`]: crate::Read
    pub data: Vec<Datum>,
}

/// How a call went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned.
    Returned {
        /// As the kernel left it: a value, or a negated errno from -4095 to -1. The kernel's own codes
        /// (`ERESTARTSYS`, 512 and up) are kept.
        value: i64,
        /// From entry to return.
        duration: Duration,
    },
    /// It has not returned yet and was looked at because the thread has been in it for a while. It will be reported
    /// again with its end.
    Pending,
    /// It will not return: `exit`, a thread that was killed inside, a successful exec of another thread.
    Never,
    /// It returned without having been executed: a seccomp filter, a tracer or a supervisor answered in its place.
    Skipped {
        /// What the caller got.
        value: i64,
    },
}

/// What one [`Read`](crate::Read) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datum {
    /// The argument, from 0; [`RESULT`] for the returned descriptor.
    pub arg: u8,
    /// What was found there.
    pub content: Content,
}

/// In [`Datum::arg`] and [`Read::arg`](crate::Read::arg): the returned value instead of an argument.
pub const RESULT: u8 = 6;

/// Bytes from the caller's memory or the kernel's structures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes {
    /// The bytes; of a string without its NUL.
    pub bytes: Vec<u8>,
    /// Whether that is all.
    pub extent: Extent,
}

/// How much of something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// There is more than the limit.
    Cut,
    /// The rest (or all of it) could not be read: the address is wrong, or its page was neither there at entry nor at
    /// exit.
    Unreadable,
}

/// What was found at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A string, a buffer, or a structure as it lies in the caller's memory (in the caller's ABI).
    Bytes(Bytes),
    /// Several strings (argv) or buffers (iovec).
    List {
        /// The elements in order.
        elements: Vec<Bytes>,
        /// Whether these are all; [`Extent::Unreadable`] if the array itself could not be read on.
        extent: Extent,
    },
    /// The elements of a list that was not read to its end: the number of an executed program's variables, as the
    /// kernel counted them.
    Count(u64),
    /// The pointer is null.
    Null,
    /// What a descriptor refers to: an absolute path as the process sees it, or `socket:[inode]`, `pipe:[inode]`,
    /// `anon_inode:name`, as in /proc/PID/fd.
    Descriptor(Bytes),
    /// There is no such descriptor, or it could not be followed.
    NoDescriptor,
}

/// A signal that was delivered to a thread of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The process.
    pub pid: Tgid,
    /// The thread that takes it.
    pub tid: Tid,
    /// When.
    pub time: Timestamp,
    /// Its number.
    pub number: i32,
    /// `si_code` of signal(7): who or what sent it.
    pub code: i32,
    /// `si_errno`.
    pub errno: i32,
    /// The process that sent it (`si_pid`, as the kernel filled it) and its user, where the code has them.
    pub sender: Option<(i32, u32)>,
    /// `si_status` of `SIGCHLD`.
    pub status: Option<i32>,
    /// `si_addr` of faults; 0 where the kernel has none to tell.
    pub address: Option<u64>,
    /// `si_timerid` and `si_overrun` of an expired timer.
    pub timer: Option<(i32, i32)>,
    /// `si_value`, all of its bits, where it was sent with one.
    pub value: Option<u64>,
    /// The call that a `SIGSYS` is about.
    pub refused: Option<Refused>,
}

/// What a `SIGSYS` tells of the call that a filter, or the program's own dispatch, did not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// `si_call_addr`: the instruction after that of the call.
    pub address: u64,
    /// `si_syscall`, with the bit that marks x32.
    pub number: u32,
    /// `si_arch`: an `AUDIT_ARCH_…` of `include/uapi/linux/audit.h`.
    pub arch: u32,
}

/// A thread of a target that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exited {
    /// The process.
    pub pid: Tgid,
    /// The thread; the process's leader where it equals `pid`.
    pub tid: Tid,
    /// When.
    pub time: Timestamp,
    /// The wait status (wait(2)): exit code in bits 8 to 15, or the signal in bits 0 to 6 and the core flag in bit 7.
    pub status: i32,
    /// The thread of the same process whose exec ended this one. A leader's number is then that thread's.
    pub superseded_by: Option<Tid>,
}
