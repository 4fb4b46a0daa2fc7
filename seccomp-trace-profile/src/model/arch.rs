//! Architectures as profiles name them, and the map from one to those that its kernel also serves.

use std::collections::BTreeMap;
use std::fmt;

use seccomp_trace_core::Arch;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Field;

/// What may stand for an architecture: the list of the runtime-spec's schema, and `SCMP_ARCH_NATIVE`, which
/// containers-common lists besides.
const KNOWN: [&str; 24] = [
    "SCMP_ARCH_NATIVE",
    "SCMP_ARCH_X86",
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X32",
    "SCMP_ARCH_ARM",
    "SCMP_ARCH_AARCH64",
    "SCMP_ARCH_LOONGARCH64",
    "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPS64N32",
    "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64",
    "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",
    "SCMP_ARCH_PPC64",
    "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_S390",
    "SCMP_ARCH_S390X",
    "SCMP_ARCH_SH",
    "SCMP_ARCH_SHEB",
];

/// A `SCMP_ARCH_…` token of a real architecture, which may be one that nothing can be recorded on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ArchToken(&'static str);

impl ArchToken {
    /// The token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The ABI that the token stands for on a machine whose native ABI is `native`; `None` for one that this
    /// project cannot record.
    #[must_use]
    pub fn arch(self, native: Arch) -> Option<Arch> {
        if self.0 == "SCMP_ARCH_NATIVE" { Some(native) } else { Arch::from_scmp(self.0) }
    }
}

impl From<Arch> for ArchToken {
    fn from(arch: Arch) -> Self {
        Self(arch.scmp())
    }
}

impl<'de> Deserialize<'de> for ArchToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        KNOWN.into_iter().find(|known| *known == text).map(Self).ok_or_else(|| {
            D::Error::custom(format_args!(
                "unknown architecture {text:?}, expected a token such as SCMP_ARCH_X86_64 or SCMP_ARCH_ARM"
            ))
        })
    }
}

impl fmt::Display for ArchToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// An entry of `archMap`: the engine picks the one of its machine and lists both fields' architectures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArchMapEntry {
    pub(crate) architecture: ArchToken,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) sub_architectures: Field<Vec<ArchToken>>,
    #[serde(flatten)]
    pub(crate) other: BTreeMap<String, Value>,
}

impl ArchMapEntry {
    /// The architecture of the machine that the entry is for.
    #[must_use]
    pub fn architecture(&self) -> ArchToken {
        self.architecture
    }

    /// The others that programs on such a machine may use.
    #[must_use]
    pub fn sub_architectures(&self) -> &[ArchToken] {
        self.sub_architectures.items()
    }
}
