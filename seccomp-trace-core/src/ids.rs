//! Numbers and names of processes, each a type of its own.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A process: a thread-group id, as the initial pid namespace numbers it (what `ps` calls the PID).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tgid(pub u32);

impl fmt::Display for Tgid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A thread, as the initial pid namespace numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tid(pub u32);

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A thread's name: at most 15 bytes that the thread itself chooses (`PR_SET_NAME`), so any bytes at all.
///
/// Shown and stored as text: bytes that are not printable UTF-8, and the backslash, become `\xNN`, so that no
/// name can break a terminal or a JSON file; [`Comm::parse`] reads that form back to the same bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Comm([u8; 16]);

impl Comm {
    /// The name in a fixed field as the kernel fills it: it ends at the first NUL.
    #[must_use]
    pub fn from_kernel(mut field: [u8; 16]) -> Self {
        if let Some(end) = field.iter().position(|byte| *byte == 0) {
            field[end..].fill(0);
        }
        Self(field)
    }

    /// The bytes of the name, without the padding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// Reads the escaped form back. `None` where it is malformed or longer than 16 bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Vec::with_capacity(16);
        let mut rest = text.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            if first == b'\\' {
                let digits = after.strip_prefix(b"x")?.get(..2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = &after[3..];
            } else {
                bytes.push(first);
                rest = after;
            }
        }
        let mut field = [0; 16];
        field.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Self::from_kernel(field))
    }
}

impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for chunk in self.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_unprintable(c) || c == '\\' {
                    let mut buffer = [0; 4];
                    push_escaped(&mut text, c.encode_utf8(&mut buffer).as_bytes());
                } else {
                    text.push(c);
                }
            }
            push_escaped(&mut text, chunk.invalid());
        }
        f.pad(&text)
    }
}

/// Whether a character could do more on a terminal than stand there: control characters, and those that reorder
/// what follows them. What comes from a tracee or a file is not printed with these in it.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    let reorders =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders
}

fn push_escaped(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        text.push_str(&format!("\\x{byte:02x}"));
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Comm({self})")
    }
}

impl Serialize for Comm {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Comm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is not the name of a thread")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hostile_name_cannot_reach_the_terminal() {
        let comm = Comm::from_kernel(*b"\x1b[2J\xff\\a\0garbage!");
        assert_eq!(comm.to_string(), "\\x1b[2J\\xff\\x5ca");
    }

    #[test]
    fn malformed_escapes_and_long_names_are_refused() {
        for text in ["\\", "\\x", "\\x1", "\\xzz", "\\n", "12345678901234567"] {
            assert_eq!(Comm::parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_name_is_read_back(field: [u8; 16]) {
            let comm = Comm::from_kernel(field);
            prop_assert_eq!(Comm::parse(&comm.to_string()), Some(comm));
            let json = serde_json::to_string(&comm).unwrap();
            prop_assert_eq!(serde_json::from_str::<Comm>(&json).unwrap(), comm);
        }
    }
}
