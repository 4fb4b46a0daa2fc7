//! What the rules of a resolved profile say about one name, before anything is compiled.

use crate::{Resolved, ResolvedRule, Verdict};

/// What happens to a call, as far as its name decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// No rule counts for it: the default action.
    Default,
    /// Always the same, by this rule.
    Fixed(&'a ResolvedRule<'a>),
    /// It depends on the arguments: the rules that look at them, in order.
    ByArguments(Vec<&'a ResolvedRule<'a>>),
}

impl<'a> Decision<'a> {
    /// What `resolved` says about `name`.
    ///
    /// As in crun and runc, rules that do what the default does are skipped. As in libseccomp, a rule without conditions
    /// beats those with conditions, wherever it stands, and of several without conditions the first counts.
    #[must_use]
    pub fn of(resolved: &'a Resolved<'a>, name: &str) -> Self {
        let rules: Vec<_> = resolved
            .rules
            .iter()
            .filter(|rule| rule.verdict != resolved.default && rule.names.contains(&name))
            .collect();
        match rules.iter().find(|rule| rule.is_unconditional()) {
            Some(rule) => Self::Fixed(rule),
            None if rules.is_empty() => Self::Default,
            None => Self::ByArguments(rules),
        }
    }

    /// Whether the call is executed: always, or for some arguments.
    #[must_use]
    pub fn may_execute(&self, default: Verdict) -> bool {
        match self {
            Self::Default => default.executes(),
            Self::Fixed(rule) => rule.verdict.executes(),
            Self::ByArguments(rules) => {
                default.executes() || rules.iter().any(|rule| rule.verdict.executes())
            }
        }
    }
}
