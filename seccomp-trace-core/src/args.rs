//! Values of arguments that were captured.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Arch, Syscall};

/// The value of a register, all 64 bits (32 of a 32-bit caller's): what a seccomp filter compares. In JSON a
/// hexadecimal string, since JSON's numbers are not exact beyond 53 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArgValue(pub u64);

impl fmt::Display for ArgValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Serialize for ArgValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArgValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| !digits.starts_with('+'));
        digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format_args!("{text:?} is not a hexadecimal number such as \"0x2\""))
        })
    }
}

/// The distinct values that one argument of a call had.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArgValues {
    /// The argument, from 0.
    pub index: u8,
    /// Each value with the number of calls that had it; after a merge the most that one run made.
    pub values: BTreeMap<ArgValue, u64>,
    /// There were more values than are kept, so that the set says nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub widened: bool,
}

impl ArgValues {
    /// The union of two views of one call. `None`, that the argument was not captured, stands for any value and
    /// swallows the other; so do the values of another argument.
    pub(crate) fn join(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        let (mut one, other) = (one?, other?);
        if one.index != other.index {
            return None;
        }
        for (value, count) in other.values {
            let known = one.values.entry(value).or_default();
            *known = (*known).max(count);
        }
        one.widened |= other.widened;
        Some(one)
    }
}

/// Which argument of which calls is to be captured.
pub type Captures = BTreeMap<Syscall, u8>;

/// Scalar arguments that are worth a condition: they choose what a call does, and have few values in one program.
/// The arguments are those of the manual pages, section 2. Never a pointer: a filter sees its address only.
const CAPTURABLE: [(&str, u8); 12] = [
    ("clone", 0),
    ("fcntl", 1),
    ("ioctl", 1),
    ("keyctl", 0),
    ("madvise", 2),
    ("personality", 0),
    ("prctl", 0),
    ("ptrace", 0),
    ("setns", 1),
    ("socket", 0),
    ("socketpair", 0),
    ("unshare", 0),
];

/// Why the arguments of a call cannot be captured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// What the call does stands in memory.
    #[error("{0} cannot be filtered by its flags: they are in memory, where no seccomp filter can look")]
    InMemory(String),
    /// No argument of the call is known to be worth a condition.
    #[error("no argument of {name:?} can be captured (known: {})", known().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// The name.
        name: String,
    },
}

fn known() -> impl Iterator<Item = &'static str> {
    CAPTURABLE.iter().map(|(name, _)| *name)
}

/// The captures that a list of names means, in every ABI of a machine whose native ABI is `native`. The words
/// `default` (`socket` by address family) and `none` stand for themselves.
///
/// # Errors
/// [`CaptureError`] for the first name whose arguments cannot be captured.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall, captures};
///
/// let chosen = captures("default", Arch::X86_64).unwrap();
/// assert_eq!(chosen[&Syscall::from_name(Arch::X86_64, "socket").unwrap()], 0);
/// assert!(captures("clone3", Arch::X86_64).is_err());
/// ```
pub fn captures(names: &str, native: Arch) -> Result<Captures, CaptureError> {
    let mut wanted = BTreeSet::new();
    for name in names.split(',').map(str::trim) {
        match name {
            "none" => {}
            "default" => {
                wanted.insert(("socket", 0));
            }
            "clone3" | "openat2" => return Err(CaptureError::InMemory(name.to_owned())),
            _ => {
                let found = CAPTURABLE.iter().find(|(known, _)| *known == name);
                wanted.insert(*found.ok_or_else(|| CaptureError::Unknown { name: name.to_owned() })?);
            }
        }
    }
    let arches = Arch::ALL.into_iter().filter(|arch| arch.native_of() == native);
    Ok(arches
        .flat_map(|arch| wanted.iter().map(move |(name, index)| (Syscall::from_name(arch, name), *index)))
        .filter_map(|(call, index)| Some((call?, index)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_abi_of_the_machine_is_captured_and_no_other() {
        let chosen = captures("socket,prctl", Arch::X86_64).unwrap();
        let arches: BTreeSet<_> = chosen.keys().map(|call| call.arch).collect();
        assert_eq!(arches, BTreeSet::from([Arch::X86_64, Arch::X86, Arch::X32]));
        assert!(captures("none", Arch::X86_64).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_captured_is_refused_with_the_reason() {
        let text = |names| captures(names, Arch::Aarch64).unwrap_err().to_string();
        assert!(text("socket,clone3").contains("in memory"));
        assert!(text("read").contains("known: clone, fcntl"));
        assert!(text("").contains("known"));
    }

    #[test]
    fn values_are_exact_in_json() {
        for value in [0, 2, u64::MAX] {
            let json = serde_json::to_string(&ArgValue(value)).unwrap();
            assert_eq!(serde_json::from_str::<ArgValue>(&json).unwrap(), ArgValue(value));
        }
        for text in ["\"2\"", "\"0x\"", "\"0x+2\"", "\"0x10000000000000000\"", "2"] {
            assert!(serde_json::from_str::<ArgValue>(text).is_err(), "{text}");
        }
    }
}
