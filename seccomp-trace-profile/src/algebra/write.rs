//! From a function back to rules that libseccomp compiles to it.
//!
//! Rules for one name are alternatives, each a conjunction with one condition for an argument. Tried in turn, shortest
//! first: the rules of the profiles themselves, theirs together and what they have in common; `SCMP_CMP_EQ` and
//! `SCMP_CMP_MASKED_EQ` made from the function; and, for ABIs of both widths, those with `SCMP_CMP_GT` for arguments
//! above 32 bits. Several rules with inequalities are taken only where the filter that libseccomp compiles from them has
//! been compared. What was written is read back and compared for every ABI before it is given out.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::{AlgebraError, Combination, Merged};
use crate::semantics::diagram::{Cube, Half};
use crate::semantics::draft::{Decision, Draft, RuleDraft, decide, width};
use crate::semantics::installation::Listener;
use crate::semantics::multiplex::HOLDERS;
use crate::semantics::table::{Judge, Table};
use crate::{ArchToken, Operator, Profile, Rule, Semantics, Verdict};

/// Rules for one name; more would not fit into a filter beside others.
const MOST_RULES: usize = 512;

/// Rules for one name that go on with different arguments, which libseccomp has to join.
const MOST_MIXED: usize = 8;

/// Rules by name.
type Rules = BTreeMap<String, Vec<RuleDraft>>;

/// Writes the function as a profile. With a combination, names that no rule can say are denied alike as it has it.
/// Whether all that was combined is for the same ABIs decides what is said where it cannot be done.
pub(super) fn write(
    mut meaning: Semantics,
    alike: Option<Combination>,
    same_arches: bool,
) -> Result<Merged, AlgebraError> {
    let default_alike = alike.is_some_and(|how| super::alike::default_alike(&mut meaning, how));
    let default = one_default(&meaning)?;
    let whole = whole_holders(&meaning, default);
    let mut rules = whole.clone();
    let whole = in_order(&whole);
    let names: Vec<String> = meaning.names.keys().filter(|name| !is_holder(name)).cloned().collect();
    let mut denied_alike = BTreeSet::new();
    for name in names {
        let exact = rows(&meaning, &name);
        let rules_for = |meaning: &Semantics, rows: &[_]| {
            rules_for(meaning, &whole, &name, rows, default).map_err(|why| AlgebraError::NotExpressible {
                name: name.clone(),
                arch: rows.last().map_or(Arch::X86_64, |(arch, _)| *arch),
                why: why.text(same_arches),
            })
        };
        let made = rules_for(&meaning, &exact).or_else(|error| {
            let changed = alike.and_then(|how| super::alike::alike(&exact, how)).ok_or(error)?;
            let made = rules_for(&meaning, &changed)?;
            replace(&mut meaning, &name, changed);
            denied_alike.insert(name.clone());
            Ok::<_, AlgebraError>(made)
        })?;
        if !made.is_empty() {
            rules.insert(name, made);
        }
    }
    let meaning = &meaning;
    holders(meaning, default, &mut rules)?;
    verify(meaning, default, &rules)?;

    // Names that have the same rules, for the same reason, share them.
    let mut groups: BTreeMap<(String, Vec<RuleDraft>), Vec<String>> = BTreeMap::new();
    for (name, drafts) in rules {
        let comments = meaning.names.get(&name).map(|source| &source.comments);
        let comment = comments.filter(|comments| comments.len() == 1).and_then(BTreeSet::first);
        groups.entry((comment.cloned().unwrap_or_default(), drafts)).or_default().push(name);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, names)| !names.iter().any(|name| is_holder(name)));
    let rules = groups.into_iter().flat_map(|((comment, drafts), names)| {
        let rule =
            move |draft: RuleDraft| Rule::new(names.clone(), draft.verdict, draft.args(), comment.clone());
        drafts.into_iter().map(rule)
    });
    let architectures = meaning.arches().map(ArchToken::from).collect();
    let mut profile = Profile::new(default, architectures, rules.collect());
    profile.install(meaning.installation.flags.clone(), listener(meaning)?);
    Ok(Merged { profile, denied_alike, default_alike })
}

/// Lets the function do this with the calls of a name.
fn replace(meaning: &mut Semantics, name: &str, rows: Vec<(Arch, Decision)>) {
    for (arch, decision) in rows {
        if let Some(table) = meaning.arches.get_mut(&arch)
            && let Some(call) = Syscall::from_name(arch, name)
        {
            table.calls.insert(call, decision);
        }
    }
}

/// The supervisor, where one is asked.
fn listener(meaning: &Semantics) -> Result<Listener, AlgebraError> {
    let asks = |decision: &Decision| decision.values().contains_key(&Verdict::Notify);
    let mut tables = meaning.arches.values();
    let mut listeners = meaning.installation.listeners.iter();
    if !tables.any(|table| table.default == Verdict::Notify || table.calls.values().any(asks)) {
        return Ok((None, None));
    }
    match (listeners.next(), listeners.next()) {
        (Some(one), Some(two)) => {
            let path = |listener: &Listener| listener.0.clone().unwrap_or_default();
            Err(AlgebraError::Listeners(path(one), path(two)))
        }
        (one, _) => Ok(one.cloned().unwrap_or_default()),
    }
}

/// A profile has one default for all its ABIs.
fn one_default(meaning: &Semantics) -> Result<Verdict, AlgebraError> {
    let mut tables = meaning.arches.iter();
    let (_, first) = tables.next().ok_or(AlgebraError::Nothing)?;
    match tables.find(|(_, table)| table.default != first.default) {
        Some((arch, _)) => Err(AlgebraError::NotExpressible {
            name: "defaultAction".to_owned(),
            arch: *arch,
            why: "a profile has one default for all its architectures; give the profiles the same architectures",
        }),
        None => Ok(first.default),
    }
}

fn rows(meaning: &Semantics, name: &str) -> Vec<(Arch, Decision)> {
    let row =
        |(arch, table): (&Arch, &Table)| Some((*arch, table.decision(Syscall::from_name(*arch, name)?)));
    meaning.arches.iter().filter_map(row).collect()
}

/// Rules that mean the same as `rows` in every ABI; none where the default does.
fn rules_for(
    meaning: &Semantics,
    whole: &[(&str, RuleDraft)],
    name: &str,
    rows: &[(Arch, Decision)],
    default: Verdict,
) -> Result<Vec<RuleDraft>, NoRules> {
    if rows.iter().all(|(_, decision)| decision.as_constant() == Some(default)) {
        return Ok(Vec::new());
    }
    let by_rules = |rules: &[RuleDraft]| {
        rows.iter().all(|(arch, wanted)| decide(rules, default, width(*arch)).as_ref() == Ok(wanted))
    };
    // As a profile has it, where that is known to be compiled as it is meant; the shortest, so that the order is no
    // matter.
    let mut given = candidates(meaning, name);
    given.sort_by_key(Vec::len);
    let plain = |rules: &&Vec<RuleDraft>| rules.len() == 1 || rules.iter().all(RuleDraft::is_plain);
    if let Some(rules) = given.iter().filter(plain).find(|rules| by_rules(rules)) {
        return Ok(rules.clone());
    }
    let by_judge = |rules: &&Vec<RuleDraft>| {
        let own = rules.iter().map(|rule| (name, rule.clone()));
        let named: Vec<_> = whole.iter().cloned().chain(own).collect();
        rows.iter().all(|(arch, wanted)| {
            let found = Table::judged(meaning.judge, *arch, default, &named);
            let call = Syscall::from_name(*arch, name);
            call.zip(found.ok()).is_some_and(|(call, found)| found.decision(call) == *wanted)
        })
    };
    // What the rules say of themselves has been looked at where it is all that counts.
    let is_open = |rules: &&Vec<RuleDraft>| {
        let overlaps =
            || rows.iter().any(|(arch, _)| decide(rules.as_slice(), default, width(*arch)).is_err());
        meaning.judge != Judge::Rules && (!plain(rules) || overlaps())
    };
    if let Some(rules) = given.iter().filter(is_open).find(by_judge) {
        return Ok(rules.clone());
    }
    let written: Vec<_> =
        rows.iter().map(|(arch, wanted)| from_decision(wanted, default, width(*arch))).collect();
    let few = written.iter().all(|rules| rules.as_deref().is_some_and(is_bearable));
    let mut written: Vec<_> =
        written.into_iter().flatten().filter(|rules| is_bearable(rules) && by_rules(rules)).collect();
    written.sort_by_key(Vec::len);
    if written.is_empty() && meaning.judge != Judge::Rules {
        let halves = rows.iter().filter(|(arch, _)| width(*arch) == 64);
        let halves = halves.filter_map(|(_, wanted)| from_halves(wanted, default));
        written.extend(halves.filter(|rules| is_bearable(rules) && by_judge(&rules)));
    }
    written.into_iter().next().ok_or(if few { NoRules::Different } else { NoRules::TooMany })
}

/// Why no rules mean what they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoRules {
    /// Each ABI could have its own, but they share them.
    Different,
    /// There would be more than a filter holds.
    TooMany,
}

impl NoRules {
    fn text(self, same_arches: bool) -> &'static str {
        match (self, same_arches) {
            (Self::TooMany, _) => "more rules would be needed than libseccomp and a filter bear",
            (Self::Different, false) => {
                "a rule counts on all architectures of a profile, and here it would have to mean different things on them; give the profiles the same architectures"
            }
            (Self::Different, true) => {
                "a rule counts on all architectures of a profile, and here it would have to mean different things on them, as 32-bit ones compare half of each argument"
            }
        }
    }
}

/// Whether libseccomp compiles the rules in a bearable time, of i386's `socketcall` too, which has another first
/// argument: it joins the trees of rules that go on with different arguments by trying every way through both, and some
/// dozens of such rules take it hours; with inequalities, two of them do (2.5.4).
fn is_bearable(rules: &[RuleDraft]) -> bool {
    fn ways(rest: Vec<&[Draft]>, mixed: usize) -> bool {
        let begins: BTreeSet<_> = rest.iter().map(|rest| rest.first().map(|(index, ..)| *index)).collect();
        if rest.len() > if begins.len() < 2 { MOST_RULES } else { mixed } {
            return false;
        }
        let mut after: BTreeMap<&Draft, Vec<&[Draft]>> = BTreeMap::new();
        for (first, rest) in rest.into_iter().filter_map(<[Draft]>::split_first) {
            after.entry(first).or_default().push(rest);
        }
        after.into_values().all(|rest| ways(rest, mixed))
    }
    let mixed = if rules.iter().all(RuleDraft::is_plain) { MOST_MIXED } else { 1 };
    let all = rules.iter().map(|rule| rule.conditions.as_slice());
    let multiplexed = all.clone().map(|all| match all {
        [(0, ..), rest @ ..] => rest,
        all => all,
    });
    // Where nothing is left, a rule is about all calls, and the others do not count.
    let multiplexed: Vec<_> = multiplexed.filter(|rest| !rest.is_empty()).collect();
    ways(all.collect(), mixed) && ways(multiplexed, mixed)
}

/// What the profiles say about a name: each, all together, and what all of them have in common.
fn candidates(meaning: &Semantics, name: &str) -> Vec<Vec<RuleDraft>> {
    let Some(source) = meaning.names.get(name) else { return Vec::new() };
    let mut all: Vec<Vec<RuleDraft>> = source.candidates.iter().cloned().collect();
    if all.len() < 2 {
        return all;
    }
    let together: BTreeSet<RuleDraft> = all.iter().flatten().cloned().collect();
    let in_common = all.iter().skip(1).try_fold(all[0].clone(), |common, rules| {
        let both = common.iter().flat_map(|one| rules.iter().map(move |two| one.and(two)));
        let both: BTreeSet<RuleDraft> = both.collect::<Option<Vec<_>>>()?.into_iter().flatten().collect();
        (both.len() <= MOST_RULES).then(|| both.into_iter().collect::<Vec<_>>())
    });
    let made = [in_common.unwrap_or_default(), together.into_iter().collect()];
    all.extend(made.into_iter().filter(|rules| !rules.is_empty() && is_bearable(rules)));
    all
}

/// Rules for a decision, `None` where they are too many.
fn from_decision(decision: &Decision, default: Verdict, width: u16) -> Option<Vec<RuleDraft>> {
    if let Some(verdict) = decision.as_constant() {
        return Some(vec![RuleDraft { conditions: Vec::new(), verdict }]);
    }
    let bits = if width == 64 { u64::MAX } else { u32::MAX.into() };
    let condition = |(index, (mask, value)): (u8, (u64, u64))| match mask {
        0 => None,
        mask if mask == bits => Some((index, Operator::Equal, value, 0)),
        mask => Some((index, Operator::MaskedEqual, mask, value)),
    };
    let cubes = decision.cubes(MOST_RULES, |verdict| verdict != default)?;
    let rule = |(cube, verdict): (Cube, Verdict)| RuleDraft {
        conditions: (0..).zip(cube).filter_map(condition).collect(),
        verdict,
    };
    let mut rules: Vec<_> = cubes.into_iter().map(rule).collect();
    rules.sort();
    Some(rules)
}

/// As [`from_decision`], for ABIs of both widths: where one argument is above 32 bits, and where it is not. Such rules
/// have an inequality, and whether they are compiled as they are meant must be looked at.
fn from_halves(decision: &Decision, default: Verdict) -> Option<Vec<RuleDraft>> {
    const LOWER: u64 = u32::MAX as u64;
    let condition = |(index, half): (u8, Half)| match half {
        Half::Any => None,
        Half::Above => Some((index, Operator::Greater, LOWER, 0)),
        Half::Low { upper_zero: true, mask: LOWER, value } => Some((index, Operator::Equal, value, 0)),
        Half::Low { upper_zero, mask, value } => {
            let upper = if upper_zero { !LOWER } else { 0 };
            Some((index, Operator::MaskedEqual, upper | mask, value))
        }
    };
    let pieces = decision.halves(MOST_RULES, |verdict| verdict != default)?;
    let rule = |(halves, verdict): ([Half; 6], Verdict)| RuleDraft {
        conditions: (0..).zip(halves).filter_map(condition).collect(),
        verdict,
    };
    Some(pieces.into_iter().map(rule).collect())
}

/// `socketcall` and `ipc` where all their calls have one verdict. Such rules come first: libseccomp refuses rules with
/// different verdicts for `socket`, which on i386 are about one `socketcall`, unless that has been decided before.
fn whole_holders(meaning: &Semantics, default: Verdict) -> Rules {
    let table = meaning.arches.get(&Arch::X86);
    let whole = HOLDERS.into_iter().filter_map(|name| {
        let verdict = table?.decision(Syscall::from_name(Arch::X86, name)?).as_constant()?;
        let rule = RuleDraft { conditions: Vec::new(), verdict };
        (verdict != default).then(|| (name.to_owned(), vec![rule]))
    });
    whole.collect()
}

fn is_holder(name: &str) -> bool {
    HOLDERS.contains(&name)
}

/// The rules as a profile has them.
fn in_order(rules: &Rules) -> Vec<(&str, RuleDraft)> {
    let mut names: Vec<_> = rules.iter().collect();
    names.sort_by_key(|(name, _)| !is_holder(name));
    names
        .into_iter()
        .flat_map(|(name, drafts)| drafts.iter().map(|draft| (name.as_str(), draft.clone())))
        .collect()
}

/// Rules for i386's `socketcall` and `ipc` themselves, where those that come with other names are not enough.
fn holders(meaning: &Semantics, default: Verdict, rules: &mut Rules) -> Result<(), AlgebraError> {
    let Some(table) = meaning.arches.get(&Arch::X86) else { return Ok(()) };
    for name in HOLDERS {
        let Some(call) = Syscall::from_name(Arch::X86, name) else { continue };
        let wanted = table.decision(call);
        let found = read(meaning.judge, Arch::X86, default, rules)?.decision(call);
        if found == wanted {
            continue;
        }
        let too_many = || AlgebraError::TooComplex { call };
        let missing = match wanted.as_constant() {
            Some(_) => wanted,
            None => found
                .combine(&wanted, |found, wanted| if found == wanted { default } else { wanted })
                .map_err(|_| too_many())?,
        };
        let written = from_decision(&missing, default, width(Arch::X86)).filter(|rules| is_bearable(rules));
        let written = written.ok_or_else(too_many)?;
        rules.insert(name.to_owned(), written);
    }
    Ok(())
}

/// What the rules mean together.
fn read(judge: Judge, arch: Arch, default: Verdict, rules: &Rules) -> Result<Table, AlgebraError> {
    Table::judged(judge, arch, default, &in_order(rules)).map_err(|error| match error {
        #[cfg(feature = "libseccomp")]
        AlgebraError::Profile(crate::ProfileError::Rule { name, .. }) => AlgebraError::NotExpressible {
            name,
            arch,
            why: "this machine's libseccomp refuses the rules for it",
        },
        AlgebraError::Ambiguous { call, .. } => AlgebraError::NotExpressible {
            name: call.to_string(),
            arch,
            why: "rules with different verdicts overlap, and libseccomp alone knows which counts",
        },
        other => other,
    })
}

/// Whether the rules mean what they should in every ABI, call by call.
fn verify(meaning: &Semantics, default: Verdict, rules: &Rules) -> Result<(), AlgebraError> {
    for (arch, wanted) in &meaning.arches {
        let found = read(meaning.judge, *arch, default, rules)?;
        for call in wanted.calls.keys().chain(found.calls.keys()) {
            if found.decision(*call) != wanted.decision(*call) {
                return Err(AlgebraError::NotExpressible {
                    name: call.to_string(),
                    arch: *arch,
                    why: if call.name().is_some_and(is_holder) {
                        "on i386 the rules for the calls that it holds are rules for it too, without their conditions on the first argument"
                    } else {
                        "rules count on every architecture that has the name"
                    },
                });
            }
        }
    }
    match meaning.judge {
        Judge::Rules => Ok(()),
        #[cfg(feature = "libseccomp")]
        Judge::Filters => verify_together(meaning, default, rules),
    }
}

/// Whether the one filter of all ABIs does for each what its own did.
#[cfg(feature = "libseccomp")]
fn verify_together(meaning: &Semantics, default: Verdict, rules: &Rules) -> Result<(), AlgebraError> {
    let arches: Vec<Arch> = meaning.arches().collect();
    let together = Table::together(&arches, default, &in_order(rules))?;
    for (arch, wanted) in &meaning.arches {
        let Some(found) = together.get(arch) else { continue };
        for call in wanted.calls.keys().chain(found.calls.keys()) {
            let both = wanted.decision(*call).combine(&found.decision(*call), |one, two| (one, two));
            let both = both.map_err(|_| AlgebraError::TooComplex { call: *call })?.values();
            if let Some(((expected, found), args)) = both.into_iter().find(|((one, two), _)| one != two) {
                return Err(AlgebraError::Miscompiled { call: *call, args, expected, found });
            }
        }
    }
    Ok(())
}
