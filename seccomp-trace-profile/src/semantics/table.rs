//! A whole profile as a function.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::decision::Decision;
use super::draft::{RuleDraft, Trouble, bits, decide, drafts};
use super::multiplex::multiplexed;
use crate::algebra::AlgebraError;
use crate::{Operator, Profile, Resolved, Verdict};

/// What the rules say about a name, in each profile that says something, and why it is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Source {
    pub(crate) candidates: BTreeSet<Vec<RuleDraft>>,
    pub(crate) comments: BTreeSet<String>,
}

/// What happens in one ABI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) default: Verdict,
    pub(crate) calls: BTreeMap<Syscall, Decision>,
}

/// What a profile means for a container on a machine: a function from ABI, syscall and arguments to a verdict, as
/// libseccomp understands the rules. Profiles that are written differently and decide alike differ here only in
/// what they are written back as.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::{Environment, Profile, Resolved, Semantics, Verdict};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW",
///         "args": [{"index": 0, "value": 2, "op": "SCMP_CMP_LE"}]}]}"#,
/// )?;
/// let semantics = Semantics::new(&profile, &Resolved::new(&profile, &Environment::default(), Arch::X86_64)?)?;
/// let socket = Syscall::from_name(Arch::X86_64, "socket").unwrap();
/// assert_eq!(semantics.verdict(socket, [2, 0, 0, 0, 0, 0]), Some(Verdict::Allow));
/// assert_eq!(semantics.verdict(socket, [3, 0, 0, 0, 0, 0]), Some(Verdict::Errno(1)));
/// assert_eq!(semantics.verdict(Syscall::new(Arch::X86, 1), [0; 6]), None, "not covered");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Semantics {
    pub(crate) arches: BTreeMap<Arch, Table>,
    pub(crate) names: BTreeMap<String, Source>,
}

impl Semantics {
    /// The meaning of `profile`, which `resolved` was made from.
    ///
    /// # Errors
    /// [`AlgebraError::UnmodelledArch`], [`AlgebraError::Ambiguous`] and [`AlgebraError::TooComplex`].
    pub fn new(profile: &Profile, resolved: &Resolved<'_>) -> Result<Self, AlgebraError> {
        if let Some(token) = resolved.architectures.iter().find(|token| token.arch(resolved.native).is_none())
        {
            return Err(AlgebraError::UnmodelledArch { token: *token });
        }
        let mut names: BTreeMap<String, Vec<RuleDraft>> = BTreeMap::new();
        let mut ordered: Vec<(&str, RuleDraft)> = Vec::new();
        let mut sources: BTreeMap<String, Source> = BTreeMap::new();
        for rule in resolved.rules.iter().filter(|rule| rule.verdict != resolved.default) {
            let comment = profile.rules().get(rule.index).map_or("", |rule| rule.comment());
            for name in &rule.names {
                sources.entry((*name).to_owned()).or_default().comments.insert(comment.to_owned());
                for draft in drafts(rule) {
                    names.entry((*name).to_owned()).or_default().push(draft.clone());
                    ordered.push((name, draft));
                }
            }
        }
        for (name, mut rules) in names {
            // A rule without conditions beats the others, and the first of them counts.
            if let Some(first) = rules.iter().find(|rule| rule.conditions.is_empty()).cloned() {
                rules = vec![first];
            }
            rules.sort();
            rules.dedup();
            sources.entry(name).or_default().candidates.insert(rules);
        }
        let table = |arch| Ok::<_, AlgebraError>((arch, Table::new(arch, resolved.default, &ordered)?));
        Ok(Self { arches: resolved.arches().map(table).collect::<Result<_, _>>()?, names: sources })
    }

    /// What happens to a call; `None` for an ABI that the filter does not cover, whose calls it kills.
    #[must_use]
    pub fn verdict(&self, call: Syscall, args: [u64; 6]) -> Option<Verdict> {
        let table = self.arches.get(&call.arch)?;
        Some(table.calls.get(&call).map_or(table.default, |decision| decision.verdict(&args)))
    }

    /// The ABIs that are covered.
    pub fn arches(&self) -> impl Iterator<Item = Arch> + '_ {
        self.arches.keys().copied()
    }
}

impl Table {
    /// The table of one ABI, from rules by name.
    pub(crate) fn new(
        arch: Arch,
        default: Verdict,
        rules: &[(&str, RuleDraft)],
    ) -> Result<Self, AlgebraError> {
        let mut by_call: BTreeMap<Syscall, Vec<RuleDraft>> = BTreeMap::new();
        for (name, rule) in rules {
            if let Some((holder, code)) = multiplexed(arch, name) {
                let mut conditions = vec![(0, Operator::Equal, code, 0)];
                conditions.extend(rule.conditions.iter().copied().filter(|(index, ..)| *index != 0));
                by_call.entry(holder).or_default().push(RuleDraft { conditions, verdict: rule.verdict });
            }
            if let Some(call) = Syscall::from_name(arch, name) {
                by_call.entry(call).or_default().push(rule.clone());
            }
        }
        let decided = by_call.iter().map(|(call, rules)| {
            let decision = decide(rules, default, bits(arch)).map_err(|trouble| match trouble {
                Trouble::TooMany => AlgebraError::TooComplex { call: *call },
                Trouble::Overlap(first, second) => AlgebraError::Ambiguous { call: *call, first, second },
            })?;
            Ok((*call, decision))
        });
        Ok(Self { default, calls: decided.collect::<Result<_, AlgebraError>>()? })
    }

    /// What happens to one call.
    pub(crate) fn decision(&self, call: Syscall) -> Decision {
        self.calls.get(&call).cloned().unwrap_or_else(|| Decision::constant(self.default, bits(call.arch)))
    }
}
