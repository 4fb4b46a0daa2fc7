//! A whole profile as a function.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::diagram::{Bits, Diagram};
use super::draft::{Decision, RuleDraft, Trouble, decide, drafts, width};
use super::installation::Installation;
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

/// Who says what rules mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    /// The rules themselves.
    Rules,
    /// The filters that libseccomp compiles.
    #[cfg(feature = "libseccomp")]
    Filters,
}

/// What a profile means for a container on a machine: a function from ABI, syscall and arguments to a verdict.
/// Profiles that are written differently and decide alike differ here only in what they are written back as.
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
    pub(crate) installation: Installation,
    pub(crate) judge: Judge,
}

impl Semantics {
    /// The meaning of the rules of `profile`, which `resolved` was made from.
    ///
    /// # Errors
    /// [`AlgebraError::UnmodelledArch`], [`AlgebraError::Ambiguous`] and [`AlgebraError::TooComplex`].
    pub fn new(profile: &Profile, resolved: &Resolved<'_>) -> Result<Self, AlgebraError> {
        Self::of(profile, resolved, Judge::Rules)
    }

    /// What the filter does that libseccomp compiles from `profile`, which `resolved` was made from: the one of all its
    /// architectures, which runtimes install. About calls that this machine's libseccomp does not know, the rules decide:
    /// another machine's may know them.
    ///
    /// # Errors
    /// As [`Semantics::new`], and those of [`Filter::new`](crate::Filter::new). Rules that overlap are no error,
    /// unless libseccomp does not know the call.
    #[cfg(feature = "libseccomp")]
    pub fn compiled(profile: &Profile, resolved: &Resolved<'_>) -> Result<Self, AlgebraError> {
        Self::of(profile, resolved, Judge::Filters)
    }

    fn of(profile: &Profile, resolved: &Resolved<'_>, judge: Judge) -> Result<Self, AlgebraError> {
        if let Some(token) = resolved.architectures.iter().find(|token| token.arch(resolved.native).is_none())
        {
            return Err(AlgebraError::UnmodelledArch { token: *token });
        }
        let mut names: BTreeMap<String, Source> = BTreeMap::new();
        for rule in resolved.rules.iter().filter(|rule| rule.verdict != resolved.default) {
            let comment = profile.rules().get(rule.index).map_or("", |rule| rule.comment());
            for name in &rule.names {
                names.entry((*name).to_owned()).or_default().comments.insert(comment.to_owned());
            }
        }
        let ordered = ordered(resolved);
        for (name, source) in &mut names {
            let of_name = ordered.iter().filter(|(other, _)| other == name).map(|(_, rule)| rule.clone());
            source.candidates.insert(candidate(of_name.collect()));
        }
        let arches = match judge {
            Judge::Rules => {
                let table = |arch| Ok((arch, Table::new(arch, resolved.default, &ordered)?));
                resolved.arches().map(table).collect::<Result<_, AlgebraError>>()?
            }
            #[cfg(feature = "libseccomp")]
            Judge::Filters => Table::compiled(resolved)?,
        };
        Ok(Self { arches, names, installation: Installation::of(profile), judge })
    }

    /// What happens to a call; `None` for an ABI that the filter does not cover, whose calls it kills.
    #[must_use]
    pub fn verdict(&self, call: Syscall, args: [u64; 6]) -> Option<Verdict> {
        let table = self.arches.get(&call.arch)?;
        Some(table.calls.get(&call).map_or(table.default, |decision| decision.at(&args)))
    }

    /// The ABIs that are covered.
    pub fn arches(&self) -> impl Iterator<Item = Arch> + '_ {
        self.arches.keys().copied()
    }
}

/// The rules for one name as short as they mean the same.
fn candidate(mut rules: Vec<RuleDraft>) -> Vec<RuleDraft> {
    // A rule without conditions beats the others, and the first of them counts.
    if let Some(first) = rules.iter().find(|rule| rule.conditions.is_empty()).cloned() {
        return vec![first];
    }
    // Their order counts where they overlap with different verdicts.
    if rules.iter().all(|rule| rule.verdict == rules[0].verdict) {
        rules.sort();
        rules.dedup();
    }
    rules
}

/// Every rule that does not do what the default does, by name and in order.
fn ordered<'a>(resolved: &Resolved<'a>) -> Vec<(&'a str, RuleDraft)> {
    let rules = resolved.rules.iter().filter(|rule| rule.verdict != resolved.default);
    rules
        .flat_map(|rule| {
            let drafts = drafts(rule);
            rule.names.iter().flat_map(move |name| drafts.clone().into_iter().map(|draft| (*name, draft)))
        })
        .collect()
}

/// The rules for each call of an ABI.
fn by_call(arch: Arch, rules: &[(&str, RuleDraft)]) -> BTreeMap<Syscall, Vec<RuleDraft>> {
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
    by_call
}

/// The verdicts that rules have for i386's `socketcall` and `ipc`, where a call is given for that one; `None` where only
/// libseccomp knows.
pub(crate) fn verdicts_of_holder(
    resolved: &Resolved<'_>,
    holder: Syscall,
    code: Option<u64>,
) -> Option<BTreeSet<Verdict>> {
    let rules = by_call(holder.arch, &ordered(resolved)).remove(&holder).unwrap_or_default();
    let decision = decide(&rules, resolved.default, width(holder.arch)).ok()?;
    let bits = Bits { index: 0, lowest: 0, width: width(holder.arch) };
    let here = match code {
        Some(code) => Diagram::compare(bits, u64::MAX, code, [false, true, false]),
        None => Diagram::constant(true),
    };
    let found = decision.combine(&here, |verdict, here| here.then_some(verdict)).ok()?;
    Some(found.values().into_keys().flatten().collect())
}

fn decided(
    call: Syscall,
    rules: &[RuleDraft],
    default: Verdict,
) -> Result<(Syscall, Decision), AlgebraError> {
    let decision = decide(rules, default, width(call.arch)).map_err(|trouble| match trouble {
        Trouble::TooMany => AlgebraError::TooComplex { call },
        Trouble::Overlap(first, second) => AlgebraError::Ambiguous { call, first, second },
    })?;
    Ok((call, decision))
}

impl Table {
    /// The table of one ABI, from rules by name.
    pub(crate) fn new(
        arch: Arch,
        default: Verdict,
        rules: &[(&str, RuleDraft)],
    ) -> Result<Self, AlgebraError> {
        let calls = by_call(arch, rules);
        let calls = calls.iter().map(|(call, rules)| decided(*call, rules, default));
        Ok(Self { default, calls: calls.collect::<Result<_, _>>()? })
    }

    /// The tables of all ABIs, from the one filter.
    #[cfg(feature = "libseccomp")]
    pub(crate) fn compiled(resolved: &Resolved<'_>) -> Result<BTreeMap<Arch, Self>, AlgebraError> {
        let filter = crate::Filter::new(resolved)?;
        let rules = ordered(resolved);
        let table = |arch| {
            let others = filter.constant_verdict(Syscall::new(arch, crate::check::UNNAMED));
            let default = others.unwrap_or(resolved.default);
            let calls = by_call(arch, &rules);
            let calls = calls.iter().map(|(call, rules)| match crate::check::is_known(*call) {
                true => {
                    let decision = filter.decide(*call);
                    Ok((*call, decision.map_err(|_| AlgebraError::TooComplex { call: *call })?))
                }
                false => decided(*call, rules, default),
            });
            Ok((arch, Self { default, calls: calls.collect::<Result<_, AlgebraError>>()? }))
        };
        resolved.arches().map(table).collect()
    }

    /// The table of one ABI from rules by name, as `judge` sees them where there is no other.
    pub(crate) fn judged(
        judge: Judge,
        arch: Arch,
        default: Verdict,
        rules: &[(&str, RuleDraft)],
    ) -> Result<Self, AlgebraError> {
        match judge {
            Judge::Rules => Self::new(arch, default, rules),
            #[cfg(feature = "libseccomp")]
            Judge::Filters => {
                let alone = Self::together(&[arch], default, rules)?.remove(&arch);
                alone.ok_or(AlgebraError::Nothing)
            }
        }
    }

    /// The tables of ABIs of one machine, from the filter that rules by name are compiled to for all of them.
    #[cfg(feature = "libseccomp")]
    pub(crate) fn together(
        arches: &[Arch],
        default: Verdict,
        rules: &[(&str, RuleDraft)],
    ) -> Result<BTreeMap<Arch, Self>, AlgebraError> {
        let args: Vec<_> = rules.iter().map(|(_, rule)| rule.args()).collect();
        let rules = rules.iter().zip(&args).enumerate();
        let rules = rules.map(|(index, ((name, rule), args))| crate::ResolvedRule {
            index,
            names: vec![*name],
            verdict: rule.verdict,
            args,
        });
        let native = arches.first().ok_or(AlgebraError::Nothing)?.native_of();
        Self::compiled(&Resolved {
            default,
            native,
            architectures: arches.iter().copied().map(crate::ArchToken::from).collect(),
            rules: rules.collect(),
        })
    }

    /// What happens to one call.
    pub(crate) fn decision(&self, call: Syscall) -> Decision {
        self.calls.get(&call).cloned().unwrap_or(Decision::constant(self.default))
    }
}
