//! Error numbers by name, as profiles and options give them.

use std::fmt;
use std::str::FromStr;

use crate::ProfileError;

/// The largest number that libseccomp takes: it compares with the kernel's `MAX_ERRNO`, 4095, and excludes that (2.5.4,
/// `src/db.c`, `db_action_valid`).
const MAX: u16 = 4094;

/// Second names of the same numbers (`include/uapi/asm-generic/errno.h` and libc's `errno.h`).
const ALIASES: [(&str, &str); 3] =
    [("EWOULDBLOCK", "EAGAIN"), ("EDEADLOCK", "EDEADLK"), ("ENOTSUP", "EOPNOTSUPP")];

/// An error number, 1 to 4094.
///
/// ```
/// use seccomp_trace_profile::Errno;
///
/// assert_eq!("eperm".parse::<Errno>()?, Errno::EPERM);
/// assert_eq!("38".parse::<Errno>()?.to_string(), "ENOSYS");
/// assert!("EVERYTHING".parse::<Errno>().is_err());
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(u16);

impl Errno {
    /// The call does not exist: C libraries fall back to an older one. The default of generated profiles.
    pub const ENOSYS: Self = Self(38);
    /// The call is not permitted: C libraries report it and do not fall back.
    pub const EPERM: Self = Self(1);

    /// The largest number.
    #[cfg(feature = "libseccomp")]
    pub(crate) const MOST: u16 = MAX;

    /// The number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The number that an upper-case name such as `EPERM` stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
        (1..=133).map(Self).find(|errno| errno.name().as_deref() == Some(name))
    }

    /// The name of the number, `None` where it has none.
    #[must_use]
    pub fn name(self) -> Option<String> {
        match nix::errno::Errno::from_raw(self.0.into()) {
            nix::errno::Errno::UnknownErrno => None,
            known => Some(format!("{known:?}")),
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(&name),
            None => self.0.fmt(f),
        }
    }
}

impl FromStr for Errno {
    type Err = ProfileError;

    /// Reads a name in any case, or a decimal number.
    fn from_str(text: &str) -> Result<Self, ProfileError> {
        let number = text.parse().ok().filter(|number| (1..=MAX).contains(number)).map(Self);
        number
            .or_else(|| Self::from_name(&text.to_ascii_uppercase()))
            .ok_or_else(|| ProfileError::UnknownErrno { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_numbers_are_read() {
        for text in ["ENOSYS", "enosys", "38"] {
            assert_eq!(text.parse::<Errno>().unwrap(), Errno::ENOSYS);
        }
        assert_eq!("ewouldblock".parse::<Errno>().unwrap().to_string(), "EAGAIN");
        assert_eq!("4094".parse::<Errno>().unwrap().to_string(), "4094");
    }

    #[test]
    fn what_is_no_errno_is_refused_with_the_remedy() {
        for text in ["", "0", "4095", "-1", "unknownerrno", "eno"] {
            let error = text.parse::<Errno>().unwrap_err().to_string();
            assert!(error.contains("ENOSYS") && error.contains("4094"), "{error}");
        }
    }
}
