//! The formats by name.

use std::fmt;
use std::str::FromStr;

use super::ExportError;

/// A form that a profile can be put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `linux.seccomp` of the OCI runtime-spec: what runc and crun read. Rules are evaluated for one environment.
    Oci,
    /// Docker's dialect, which Podman reads as well: `archMap`, `includes`, `excludes` and comments are kept.
    Docker,
    /// A `SeccompProfile` of the Kubernetes Security Profiles Operator, in YAML.
    Kubernetes,
    /// A drop-in for a systemd service.
    Systemd,
    /// The JSON of rust-vmm's `seccompiler` crate.
    Seccompiler,
    /// The compiled filter: an array of `struct sock_filter` in this machine's byte order.
    #[cfg(feature = "libseccomp")]
    Bpf,
    /// libseccomp's readable form of the compiled filter.
    #[cfg(feature = "libseccomp")]
    Pfc,
    /// The names of the calls that are allowed, one a line.
    List,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[
        Self::Oci,
        Self::Docker,
        Self::Kubernetes,
        Self::Systemd,
        Self::Seccompiler,
        #[cfg(feature = "libseccomp")]
        Self::Bpf,
        #[cfg(feature = "libseccomp")]
        Self::Pfc,
        Self::List,
    ];

    /// The name, as an option gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::Docker => "docker",
            Self::Kubernetes => "kubernetes",
            Self::Systemd => "systemd",
            Self::Seccompiler => "seccompiler",
            #[cfg(feature = "libseccomp")]
            Self::Bpf => "bpf",
            #[cfg(feature = "libseccomp")]
            Self::Pfc => "pfc",
            Self::List => "list",
        }
    }

    /// Whether no container runtime loads the result, so that it need not allow what only those call.
    #[must_use]
    pub const fn sheds_runtime(self) -> bool {
        match self {
            Self::Oci | Self::Docker | Self::Kubernetes => false,
            // Readable code shows what a runtime would make of the profile as it is.
            #[cfg(feature = "libseccomp")]
            Self::Pfc => false,
            #[cfg(feature = "libseccomp")]
            Self::Bpf => true,
            Self::Systemd | Self::Seccompiler | Self::List => true,
        }
    }

    /// Whether the result is a profile that this crate reads.
    #[must_use]
    pub const fn is_profile(self) -> bool {
        matches!(self, Self::Oci | Self::Docker)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = ExportError;

    fn from_str(text: &str) -> Result<Self, ExportError> {
        let found = Self::ALL.iter().copied().find(|format| format.name() == text);
        found.ok_or_else(|| ExportError::UnknownFormat { text: text.to_owned() })
    }
}
