//! What was recorded and a profile does not allow: its base decides, or there is no name.

use std::collections::BTreeSet;

use seccomp_trace_core::Syscall;

use super::Generated;
use crate::{Condition, Environment, Profile, ProfileError, Rule, check};

/// As many calls as a line of a terminal takes.
const SHOWN: usize = 10;

/// Recorded calls that a generated profile does not allow, or not always. No error: the base was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Withheld {
    /// Denied by the base's rules.
    pub denied: BTreeSet<Syscall>,
    /// Allowed by the base's rules with some arguments, capabilities or kernels only.
    pub conditional: BTreeSet<Syscall>,
    /// Numbers without a name.
    pub unnamed: BTreeSet<Syscall>,
}

impl Withheld {
    /// One sentence for each kind that there is.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        [
            (&self.denied, "observed, not allowed here, because the base profile decides"),
            (&self.conditional, "observed, allowed only where the base profile's conditions hold"),
            (&self.unnamed, "observed, not allowed here, because the numbers have no name"),
        ]
        .into_iter()
        .filter(|(calls, _)| !calls.is_empty())
        .map(|(calls, what)| format!("{what}: {}", list(calls)))
    }
}

impl Generated {
    /// What of the recording the profile that was made with this `base` does not allow.
    #[must_use]
    pub fn withheld(&self, base: Option<&Profile>, environment: &Environment) -> Withheld {
        // Whatever their arguments are taken to be.
        let denied: BTreeSet<Syscall> = match check(&self.profile, &self.governed, environment) {
            Err(ProfileError::Denied(denials)) => denials.0.iter().map(|denial| denial.call).collect(),
            _ => BTreeSet::new(),
        };
        let restricts = |rule: &&Rule| {
            let conditions = [rule.includes(), rule.excludes()];
            !rule.args().is_empty() || conditions.into_iter().any(restricts_where)
        };
        let restricted: BTreeSet<&str> =
            base.iter().flat_map(|base| base.rules()).filter(restricts).flat_map(Rule::names).collect();
        let conditional = self.governed.iter().filter(|call| {
            !denied.contains(call) && call.name().is_some_and(|name| restricted.contains(name))
        });
        Withheld { conditional: conditional.copied().collect(), unnamed: self.unnamed.clone(), denied }
    }
}

/// Whether a rule with this condition counts only somewhere.
fn restricts_where(condition: &Condition) -> bool {
    !condition.caps().is_empty() || !condition.arches().is_empty() || condition.min_kernel().is_some()
}

/// A list that stays readable.
fn list(calls: &BTreeSet<Syscall>) -> String {
    let names = calls.iter().take(SHOWN).map(|call| format!("{call} ({})", call.arch)).collect::<Vec<_>>();
    let more = calls.len().saturating_sub(SHOWN);
    if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
}
