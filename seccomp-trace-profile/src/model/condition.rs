//! `includes` and `excludes`: for which containers and machines a rule counts. Engines evaluate them and hand
//! the runtime only the rules that do.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Field;

/// A kernel version, as far as profiles compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelVersion {
    /// The number before the first dot.
    pub major: u32,
    /// The number after it.
    pub minor: u32,
}

impl FromStr for KernelVersion {
    type Err = String;

    /// Reads `4.8`, and a whole release such as `6.1.0-13-amd64`, of which the first two numbers count.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let parsed = text.split_once('.').and_then(|(major, rest)| {
            let (minor, tail) = rest.split_at(digits(rest));
            let clean = tail.is_empty() || tail.starts_with(['.', '-', '+', '_', '~']);
            let plain = !major.starts_with('+') && clean;
            Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? }).filter(|_| plain)
        });
        parsed.ok_or_else(|| format!("invalid kernel version {text:?}, expected one such as \"4.8\""))
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text of a `minKernel` field, which is kept as it was written. Empty: no condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct MinKernel {
    text: String,
    version: Option<KernelVersion>,
}

impl TryFrom<String> for MinKernel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let version = if text.is_empty() { None } else { Some(text.parse()?) };
        Ok(Self { text, version })
    }
}

impl From<MinKernel> for String {
    fn from(value: MinKernel) -> Self {
        value.text
    }
}

/// The object of `includes` or `excludes`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    caps: Field<Vec<String>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    arches: Field<Vec<String>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    min_kernel: Field<MinKernel>,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl Condition {
    /// The condition that says nothing.
    pub(crate) const NONE: Self = Self {
        caps: Field::Absent,
        arches: Field::Absent,
        min_kernel: Field::Absent,
        other: BTreeMap::new(),
    };

    /// Capabilities, `CAP_…`.
    #[must_use]
    pub fn caps(&self) -> &[String] {
        self.caps.items()
    }

    /// Native architectures, by the names that Go programs use (`amd64`, `arm64`, `s390x`).
    #[must_use]
    pub fn arches(&self) -> &[String] {
        self.arches.items()
    }

    /// The oldest kernel that the condition holds on.
    #[must_use]
    pub fn min_kernel(&self) -> Option<KernelVersion> {
        self.min_kernel.get().and_then(|min| min.version)
    }
}
