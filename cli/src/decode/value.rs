//! What was decoded, as a tree that is independent of how it is printed.

use std::net::Ipv6Addr;

/// A decoded argument, field or element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Signed(i64),
    Unsigned(u64),
    Hex(u64),
    /// An address; `NULL` where it is 0.
    Address(u64),
    /// Names of this program's own tables, and what is made of them.
    Word(String),
    /// Bytes of the tracee.
    Text(Text),
    /// A name in the abstract namespace of Unix sockets.
    AbstractName(Vec<u8>),
    /// What is in network byte order, by the function that makes it.
    Converted(&'static str, Box<Value>),
    /// An IPv6 address; in text it names its field itself.
    Address6(Ipv6Addr),
    Fields(Fields),
    List {
        elements: Vec<Value>,
        /// Whether there are more than these.
        more: bool,
    },
    Descriptor {
        number: i64,
        /// Whether `AT_FDCWD` may stand for it.
        directory: bool,
        /// What it refers to, where that was asked for; the inner is `None` where it could not be found out.
        target: Option<Option<Vec<u8>>>,
    },
    /// Something, with a remark.
    Remark(Box<Value>, String),
    /// Before and after the call.
    Change(Box<Value>, Box<Value>),
    /// What the address leads to could not be read (beyond these bytes).
    Unreadable {
        address: u64,
        read: Vec<u8>,
        /// Whether the call's result tells it, so that a line need not.
        told: bool,
    },
}

/// Bytes of the tracee, printed in quotes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    pub(crate) bytes: Vec<u8>,
    /// Whether there are more than these.
    pub(crate) cut: bool,
    /// Whether they are no text, so that each is printed in hexadecimal.
    pub(crate) binary: bool,
}

/// A structure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields {
    pub(crate) fields: Vec<(&'static str, Value)>,
    /// Whether there are more fields than these.
    pub(crate) more: bool,
}

impl Value {
    /// A number in network byte order.
    pub(crate) fn network(function: &'static str, number: impl Into<u64>) -> Self {
        Self::Converted(function, Box::new(Self::Unsigned(number.into())))
    }

    pub(crate) fn word(text: impl Into<String>) -> Self {
        Self::Word(text.into())
    }

    pub(crate) fn text(bytes: &[u8], cut: bool) -> Self {
        Self::Text(Text { bytes: bytes.to_vec(), cut, binary: false })
    }

    /// A string in a field of fixed size: it ends at the first NUL.
    pub(crate) fn c_string(bytes: &[u8]) -> Self {
        let end = bytes.iter().position(|byte| *byte == 0);
        Self::text(&bytes[..end.unwrap_or(bytes.len())], false)
    }

    pub(crate) fn fields(fields: Vec<(&'static str, Self)>) -> Self {
        Self::Fields(Fields { fields, more: false })
    }

    pub(crate) fn list(elements: Vec<Self>) -> Self {
        Self::List { elements, more: false }
    }
}
