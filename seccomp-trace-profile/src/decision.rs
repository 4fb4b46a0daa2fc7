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
    /// As in crun and runc, rules that do what the default does are skipped, rules with the same action add up, and of
    /// those with different actions the first counts.
    #[must_use]
    pub fn of(resolved: &'a Resolved<'a>, name: &str) -> Self {
        let rules: Vec<_> = resolved
            .rules
            .iter()
            .filter(|rule| rule.verdict != resolved.default && rule.names.contains(&name))
            .collect();
        let Some(first) = rules.first() else { return Self::Default };
        let same = rules.iter().all(|rule| rule.verdict == first.verdict);
        match rules.iter().find(|rule| rule.args.is_empty()) {
            Some(rule) if same || rule.index == first.index => Self::Fixed(rule),
            _ => Self::ByArguments(rules),
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
