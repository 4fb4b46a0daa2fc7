//! Which rule of a profile denies a call.

use std::fmt;

use seccomp_trace_core::Syscall;
use serde::Serialize;

use crate::{Decision, Resolved, Verdict};

/// What in a profile decides that a call is denied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ruling {
    /// The profile's list of architectures does not have the call's.
    Architecture,
    /// The number has no name, and rules are by name.
    Number,
    /// No rule has the name.
    Default,
    /// Rules have the name, and allow it for other arguments.
    Conditions {
        /// Their positions in the profile.
        rules: Vec<usize>,
    },
    /// Rules that deny it.
    Rules {
        /// Their positions in the profile.
        rules: Vec<usize>,
    },
}

impl Ruling {
    /// What decides about a call to which the profile gives `verdict`.
    #[must_use]
    pub fn of(resolved: &Resolved<'_>, call: Syscall, verdict: Verdict) -> Self {
        if !resolved.arches().any(|arch| arch == call.arch) {
            return Self::Architecture;
        }
        let Some(name) = call.name() else { return Self::Number };
        match Decision::of(resolved, name) {
            Decision::Default => Self::Default,
            Decision::Fixed(rule) if rule.verdict == verdict => Self::Rules { rules: vec![rule.index] },
            // A name that this machine's libseccomp does not know is skipped.
            Decision::Fixed(_) => Self::Default,
            Decision::ByArguments(rules) => {
                let mut denying = rules.iter().filter(|rule| rule.verdict == verdict).peekable();
                if verdict != resolved.default && denying.peek().is_some() {
                    Self::Rules { rules: denying.map(|rule| rule.index).collect() }
                } else {
                    Self::Conditions { rules: rules.iter().map(|rule| rule.index).collect() }
                }
            }
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |rules: &[usize]| {
            rules.iter().map(|index| format!("syscalls[{index}]")).collect::<Vec<_>>().join(", ")
        };
        match self {
            Self::Architecture => f.write_str("the profile does not cover the architecture"),
            Self::Number => f.write_str("the number has no name that a rule could have"),
            Self::Default => f.write_str("no rule has it, so the default action counts"),
            Self::Conditions { rules } => {
                write!(f, "no condition of {} holds, so the default action counts", list(rules))
            }
            Self::Rules { rules } => f.write_str(&list(rules)),
        }
    }
}
