//! How calls fail that a profile does not allow.

use std::fmt;
use std::str::FromStr;

use crate::kernels::{EXPECTED, NEWEST};
use crate::{Errno, KernelVersion, ProfileError};

/// How denied calls fail.
///
/// ```
/// use seccomp_trace_profile::{Errnos, Errno};
///
/// assert_eq!("enosys".parse::<Errnos>()?, Errnos::With(Errno::ENOSYS));
/// assert_eq!("eperm-known".parse::<Errnos>()?.to_string(), "eperm-known=3.2");
/// assert!("eperm-known=6.1".parse::<Errnos>().is_err(), "no table of so new a kernel");
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errnos {
    /// All with this errno.
    With(Errno),
    /// With EPERM where this kernel has the call, so that it fails as users expect; newer calls with ENOSYS, so that C
    /// libraries fall back to older ones. A call that is allowed for some arguments fails with ENOSYS for the others.
    EpermKnown(KernelVersion),
}

impl Errnos {
    /// The errno of calls that no rule is about.
    #[must_use]
    pub fn default_errno(self) -> Errno {
        match self {
            Self::With(errno) => errno,
            Self::EpermKnown(_) => Errno::ENOSYS,
        }
    }

    /// The kernel whose calls fail with EPERM.
    #[must_use]
    pub fn known(self) -> Option<KernelVersion> {
        match self {
            Self::With(_) => None,
            Self::EpermKnown(kernel) => Some(kernel),
        }
    }
}

impl FromStr for Errnos {
    type Err = ProfileError;

    /// `eperm-known`, `eperm-known=VERSION`, or what [`Errno`] reads. Without a version it is Linux 3.2, the oldest that
    /// the GNU C library runs on.
    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let Some(version) = text.strip_prefix("eperm-known") else { return text.parse().map(Self::With) };
        let known = match version.strip_prefix('=') {
            None if version.is_empty() => Some(EXPECTED),
            None => None,
            Some(version) => version.parse().ok().filter(|kernel| *kernel <= NEWEST),
        };
        known.map(Self::EpermKnown).ok_or_else(|| ProfileError::UnknownKernel { text: text.to_owned() })
    }
}

impl fmt::Display for Errnos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::With(errno) => errno.fmt(f),
            Self::EpermKnown(kernel) => write!(f, "eperm-known={kernel}"),
        }
    }
}
