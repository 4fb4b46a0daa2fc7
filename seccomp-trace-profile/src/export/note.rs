//! What a format does not say.

use std::collections::BTreeSet;
use std::fmt;

use seccomp_trace_core::Arch;

/// Something that an export does not hold, or holds otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Note {
    /// Calls that only container runtimes need were left out.
    RuntimeLeftOut {
        /// The calls.
        names: BTreeSet<String>,
    },
    /// Conditions on arguments were dropped: these calls are allowed with all of them.
    Widened {
        /// The calls.
        names: BTreeSet<String>,
    },
    /// The list holds calls that the profile allows with some arguments only.
    Conditional {
        /// The calls.
        names: BTreeSet<String>,
    },
    /// The format has no place for the errno of the default action.
    DefaultErrno {
        /// The errno that the profile states.
        was: u32,
    },
    /// The format has no place for the message of the default action to a tracer.
    DefaultMessage {
        /// The message that the profile states.
        was: u32,
    },
    /// A process is killed where the profile kills a thread.
    KillsProcess,
    /// systemd allows these calls whatever a drop-in says.
    AllowedBySystemd {
        /// The calls, as far as the profile does not allow them.
        names: BTreeSet<String>,
    },
    /// `socket` is restricted by `RestrictAddressFamilies=`.
    AddressFamilies,
    /// The drop-in names groups, which may be larger in another release of systemd.
    Groups,
    /// The result is for one ABI; calls of the others are killed.
    OneAbi {
        /// The one.
        arch: Arch,
        /// The others that the profile covers.
        others: Vec<String>,
    },
    /// The architecture has no name in the format, and was left out.
    ArchitectureLeftOut {
        /// Its token.
        token: String,
    },
    /// Names that do not exist in the ABI, and were left out.
    UnknownNames {
        /// The ABI, or the program that does not know them.
        to: String,
        /// The names.
        names: BTreeSet<String>,
    },
    /// A rule without names was left out; it matches nothing.
    EmptyRule {
        /// Its position.
        index: usize,
    },
    /// Fields that the format does not have were left out.
    UnknownFields {
        /// Their paths.
        paths: BTreeSet<String>,
    },
    /// The flags for the installation were left out.
    Flags {
        /// The flags.
        flags: Vec<String>,
    },
    /// The supervisor's socket was left out.
    Listener,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RuntimeLeftOut { names } => {
                write!(f, "left out what only container runtimes call (--keep-runtime keeps it): {}", list(names))
            }
            Self::Widened { names } => {
                write!(f, "allowed with all arguments, where the profile has conditions: {}", list(names))
            }
            Self::Conditional { names } => {
                write!(f, "listed, though the profile allows them with some arguments only: {}", list(names))
            }
            Self::DefaultErrno { was } => write!(
                f,
                "the format has no place for the errno of the default action: denied calls fail with EPERM, not {was}"
            ),
            Self::DefaultMessage { was } => write!(
                f,
                "the format has no place for the message of the default action: a tracer gets 1, not {was}"
            ),
            Self::KillsProcess => f.write_str("the whole process is killed where the profile kills one thread"),
            Self::AllowedBySystemd { names } => {
                write!(f, "systemd always allows its group @default, and so also: {}", list(names))
            }
            Self::AddressFamilies => f.write_str(
                "socket is restricted by RestrictAddressFamilies=: other families fail with EAFNOSUPPORT, and 32-bit \
                 x86 code is not restricted",
            ),
            Self::Groups => write!(
                f,
                "the groups (@…) are those of systemd {}; in another release they may hold other calls",
                crate::SYSTEMD_VERSION
            ),
            Self::OneAbi { arch, others } => {
                write!(f, "the filter is for {arch} alone; code that uses {} is killed", others.join(", "))
            }
            Self::ArchitectureLeftOut { token } => write!(f, "the format has no name for {token}; it is left out"),
            Self::UnknownNames { to, names } => write!(f, "left out, because unknown to {to}: {}", list(names)),
            Self::EmptyRule { index } => write!(f, "syscalls[{index}] has no names and was left out"),
            Self::UnknownFields { paths } => {
                write!(f, "left out fields that the format does not have: {}", list(paths))
            }
            Self::Flags { flags } => write!(f, "the format has no place for the flags {}", flags.join(", ")),
            Self::Listener => f.write_str("the format has no place for the supervisor's socket"),
        }
    }
}

/// In quotes what could be taken for several words or for something else.
fn list(names: &BTreeSet<String>) -> String {
    let is_word = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != '"');
    let shown = |name: &String| if is_word(name) { name.clone() } else { format!("{name:?}") };
    names.iter().map(shown).collect::<Vec<_>>().join(" ")
}
