//! Why a rule is there, as its comment says.

use std::collections::BTreeSet;
use std::fmt;

const PREFIX: &str = "seccomp-trace: ";

/// The reason of a generated rule. Its text is the rule's comment, and is read back from it, so that a later
/// tool can drop a group.
///
/// In order of precedence: a name is in the first group that has a reason for it.
///
/// ```
/// use seccomp_trace_profile::Reason;
///
/// let reason = Reason::from_comment("seccomp-trace: baseline (crun, runc) - version 1").unwrap();
/// assert_eq!(reason.to_string(), "seccomp-trace: baseline (crun, runc)");
/// assert_eq!(Reason::from_comment("added by hand"), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The program made the call.
    Workload,
    /// Every profile needs it.
    Always,
    /// These runtimes made the call under the filter while it was recorded; empty where it is not known which.
    RuntimeInit(BTreeSet<String>),
    /// These runtimes are known to make the call.
    Baseline(BTreeSet<String>),
    /// The calls fail in another way than by default.
    Denied,
}

impl Reason {
    /// The reason that a comment states. Free text may follow the fixed form after ` - `. `None` for a comment
    /// that is not of this form.
    #[must_use]
    pub fn from_comment(comment: &str) -> Option<Self> {
        let text = comment.strip_prefix(PREFIX)?;
        let text = text.split_once(" - ").map_or(text, |(fixed, _)| fixed);
        match text {
            "workload" => return Some(Self::Workload),
            "always" => return Some(Self::Always),
            "denied" => return Some(Self::Denied),
            "runtime init" => return Some(Self::RuntimeInit(BTreeSet::new())),
            _ => {}
        }
        let (kind, list) = text.strip_suffix(')')?.split_once(" (")?;
        let runtimes: BTreeSet<String> = list.split(", ").map(str::to_owned).collect();
        if runtimes.iter().any(|name| runtime_name(name).as_ref() != Some(name)) {
            return None;
        }
        match kind {
            "runtime init" => Some(Self::RuntimeInit(runtimes)),
            "baseline" => Some(Self::Baseline(runtimes)),
            _ => None,
        }
    }

    /// Whether only a container runtime needs the calls.
    #[must_use]
    pub fn is_runtime(&self) -> bool {
        matches!(self, Self::RuntimeInit(_) | Self::Baseline(_))
    }
}

/// A runtime's name as a comment may hold it: without what would end the list. `None` if nothing is left.
pub(super) fn runtime_name(name: &str) -> Option<String> {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    Some(name.chars().filter(plain).collect::<String>()).filter(|name| !name.is_empty())
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, runtimes) = match self {
            Self::Workload => return write!(f, "{PREFIX}workload"),
            Self::Always => return write!(f, "{PREFIX}always"),
            Self::Denied => return write!(f, "{PREFIX}denied"),
            Self::RuntimeInit(runtimes) => ("runtime init", runtimes),
            Self::Baseline(runtimes) => ("baseline", runtimes),
        };
        write!(f, "{PREFIX}{kind}")?;
        if runtimes.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = runtimes.iter().map(String::as_str).collect();
        write!(f, " ({})", names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_read_back_from_its_comment_also_with_free_text() {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        for reason in [
            Reason::Workload,
            Reason::Always,
            Reason::Denied,
            Reason::RuntimeInit(set(&[])),
            Reason::RuntimeInit(set(&["crun"])),
            Reason::Baseline(set(&["crun", "runc"])),
        ] {
            assert_eq!(Reason::from_comment(&reason.to_string()), Some(reason.clone()));
            assert_eq!(Reason::from_comment(&format!("{reason} - said (twice) - twice")), Some(reason));
        }
    }

    #[test]
    fn other_comments_state_no_reason() {
        for comment in [
            "",
            "workload",
            "seccomp-trace: ",
            "seccomp-trace: workloads",
            "seccomp-trace: baseline",
            "seccomp-trace: baseline ()",
            "seccomp-trace: baseline (a b)",
            "seccomp-trace: setup (crun)",
            "Seccomp-trace: always",
        ] {
            assert_eq!(Reason::from_comment(comment), None, "{comment:?}");
        }
    }
}
