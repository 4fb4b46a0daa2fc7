//! The calling conventions that a Linux task can use to enter the kernel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A syscall ABI, named as libseccomp names it.
///
/// One process can use several: 64-bit x86 code may execute `int 0x80` and so make an i386 call. A number
/// means nothing without its ABI: 20 is `writev` on `x86_64` and `getpid` on i386.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Arch {
    /// 64-bit x86, `AUDIT_ARCH_X86_64` without the x32 bit.
    #[serde(rename = "x86_64")]
    X86_64,
    /// i386 (32-bit code, or `int 0x80` from 64-bit code), `AUDIT_ARCH_I386`.
    X86,
    /// The x32 ABI: `AUDIT_ARCH_X86_64` with bit 30 of the number set.
    X32,
    /// 64-bit ARM, `AUDIT_ARCH_AARCH64`.
    Aarch64,
    /// 32-bit ARM EABI, `AUDIT_ARCH_ARM`.
    Arm,
}

impl Arch {
    /// Every ABI that this crate knows.
    pub const ALL: [Self; 5] = [Self::X86_64, Self::X86, Self::X32, Self::Aarch64, Self::Arm];

    /// The ABI of native 64-bit code on the machine this was compiled for, if it is one we can record on.
    #[must_use]
    pub const fn native() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// The lower-case name: `x86_64`, `x86`, `x32`, `aarch64`, `arm`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::X86 => "x86",
            Self::X32 => "x32",
            Self::Aarch64 => "aarch64",
            Self::Arm => "arm",
        }
    }

    /// The token of OCI profiles, `SCMP_ARCH_…` (runtime-spec, config-linux.md, `architectures`).
    #[must_use]
    pub const fn scmp(self) -> &'static str {
        match self {
            Self::X86_64 => "SCMP_ARCH_X86_64",
            Self::X86 => "SCMP_ARCH_X86",
            Self::X32 => "SCMP_ARCH_X32",
            Self::Aarch64 => "SCMP_ARCH_AARCH64",
            Self::Arm => "SCMP_ARCH_ARM",
        }
    }

    /// The ABI that an OCI token names, `None` for a token of another architecture.
    #[must_use]
    pub fn from_scmp(token: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.scmp() == token)
    }

    /// The value of `seccomp_data.arch` for calls of this ABI (`include/uapi/linux/audit.h`).
    #[must_use]
    pub const fn audit(self) -> u32 {
        match self {
            Self::X86_64 | Self::X32 => 0xC000_003E,
            Self::X86 => 0x4000_0003,
            Self::Aarch64 => 0xC000_00B7,
            Self::Arm => 0x4000_0028,
        }
    }

    /// The 64-bit ABI of the kernel that serves this one.
    #[must_use]
    pub const fn native_of(self) -> Self {
        match self {
            Self::X86_64 | Self::X86 | Self::X32 => Self::X86_64,
            Self::Aarch64 | Self::Arm => Self::Aarch64,
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The text is not the name of an ABI that this crate knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown architecture {0:?} (known: x86_64, x86, x32, aarch64, arm)")]
pub struct UnknownArch(pub String);

impl FromStr for Arch {
    type Err = UnknownArch;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|arch| arch.name() == text).ok_or_else(|| UnknownArch(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_every_token_is_read_back() {
        for arch in Arch::ALL {
            assert_eq!(arch.name().parse(), Ok(arch));
            assert_eq!(Arch::from_scmp(arch.scmp()), Some(arch));
            let json = serde_json::to_string(&arch).unwrap();
            assert_eq!(json, format!("\"{arch}\""), "the JSON form is the name");
        }
        assert!("mips".parse::<Arch>().is_err());
    }
}
