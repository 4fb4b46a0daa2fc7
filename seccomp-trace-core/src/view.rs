//! What a live view shows, and what it reads of each call.

use std::collections::{BTreeMap, BTreeSet};

use crate::Syscall;

/// Which calls a live view reports, and what it reads of them. A collector applies it before an event is made, so
/// that what is left out costs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Which calls.
    pub calls: Selection,
    /// Which results.
    pub results: Results,
    /// What is read of which calls, in order. A call that is not here is reported with its registers alone.
    pub reads: BTreeMap<Syscall, Vec<Read>>,
    /// How many bytes of a [`What::String`], and of each buffer and list element, are read at most. A collector
    /// may have a lower limit of its own.
    pub string_limit: u32,
    /// Whether signals that are delivered are reported.
    pub signals: bool,
    /// Whether threads that end are reported.
    pub exits: bool,
}

/// Which calls are reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// These, and no number that has no name.
    Only(BTreeSet<Syscall>),
    /// All but these, with the numbers that have no name.
    Except(BTreeSet<Syscall>),
}

impl Selection {
    /// Whether a call is one of them.
    #[must_use]
    pub fn has(&self, call: Syscall) -> bool {
        match self {
            Self::Only(calls) => calls.contains(&call),
            Self::Except(calls) => !calls.contains(&call),
        }
    }
}

/// Which results are reported. What never returns is reported by [`Results::All`] alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Results {
    /// All.
    #[default]
    All,
    /// Calls that did not fail.
    Successes,
    /// Calls that returned an errno.
    Failures,
}

/// One thing to read of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Read {
    /// The argument that has it, from 0; [`RESULT`](crate::RESULT) for the returned value.
    pub arg: u8,
    /// What it is.
    pub what: What,
    /// When it is read. What is read at entry and is not there yet is read again at exit.
    pub when: When,
}

/// When something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum When {
    /// When the call is entered: what the caller passes.
    Entry,
    /// When it has returned without an error: what the kernel answered.
    Exit,
}

/// What an argument points to, or stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum What {
    /// A path: a string of up to `PATH_MAX` bytes, whatever the limit of strings is.
    Path,
    /// A string that ends with a NUL.
    String,
    /// A buffer of this many bytes, limited as strings are.
    Buffer(Length),
    /// A structure (or several in a row) of this many bytes in the caller's ABI; at most 512 are read.
    Struct(Length),
    /// An array of pointers to strings that ends with a null pointer: argv. At most 32 are read.
    Strings,
    /// An array of `struct iovec`, whose buffers are read; at most 16.
    Iovec {
        /// The argument that counts them.
        count: u8,
        /// Whether only as many bytes as the call returned are valid (a reading call).
        returned: bool,
    },
    /// What the descriptor in the argument (or the result) refers to. Negative values but `AT_FDCWD` are none.
    Descriptor,
}

/// How long something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Length {
    /// This many bytes.
    Fixed(u16),
    /// As many as this argument says.
    Arg(u8),
    /// As many elements of the size as this argument says.
    Elements {
        /// The argument.
        arg: u8,
        /// The size of an element in bytes, in the native ABI's layout.
        size: u16,
    },
    /// As many as the `u32` (`socklen_t`) to which this argument points, when the call has returned.
    Pointed(u8),
    /// As many as the call returned.
    Returned,
    /// As many elements of this size as the call returned.
    ReturnedElements(u16),
}

impl Default for View {
    /// All calls with their registers alone; strings as strace cuts them, at 32 bytes.
    fn default() -> Self {
        Self {
            calls: Selection::Except(BTreeSet::new()),
            results: Results::All,
            reads: BTreeMap::new(),
            string_limit: 32,
            signals: false,
            exits: false,
        }
    }
}
