//! From a function back to rules that libseccomp compiles to it.
//!
//! Rules for one name are alternatives, each a conjunction with one condition for an argument. So that libseccomp
//! compiles them as meant, several rules for one name have `SCMP_CMP_EQ` and `SCMP_CMP_MASKED_EQ` alone: an interval
//! becomes aligned blocks. What was written is read back and compared for every ABI before it is given out.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::AlgebraError;
use crate::semantics::decision::Decision;
use crate::semantics::draft::{Draft, RuleDraft, bits, decide};
use crate::semantics::multiplex::HOLDERS;
use crate::semantics::region::Region;
use crate::semantics::table::Table;
use crate::semantics::values::Values;
use crate::{ArchToken, Operator, Profile, Rule, Semantics, Verdict};

/// Rules for one name; more would not fit into a filter beside others.
const MOST_RULES: usize = 512;

/// Writes the function as a profile.
pub(super) fn write(meaning: &Semantics) -> Result<Profile, AlgebraError> {
    let default = one_default(meaning)?;
    let mut rules: BTreeMap<String, Vec<RuleDraft>> = BTreeMap::new();
    for name in meaning.names.keys().filter(|name| !HOLDERS.contains(&name.as_str())) {
        let rows = rows(meaning, name);
        if rows.iter().any(|(_, decision)| !decision.cases.is_empty() || decision.otherwise != default) {
            rules.insert(name.clone(), rules_for(meaning, name, &rows, default)?);
        }
    }
    holders(meaning, default, &mut rules)?;
    verify(meaning, default, &rules)?;

    // Names that have the same rules, for the same reason, share them.
    let mut groups: BTreeMap<(String, Vec<RuleDraft>), Vec<String>> = BTreeMap::new();
    for (name, drafts) in rules {
        let comments = meaning.names.get(&name).map(|source| &source.comments);
        let comment = comments.filter(|comments| comments.len() == 1).and_then(BTreeSet::first);
        groups.entry((comment.cloned().unwrap_or_default(), drafts)).or_default().push(name);
    }
    let rules = groups.into_iter().flat_map(|((comment, drafts), names)| {
        let rule =
            move |draft: RuleDraft| Rule::new(names.clone(), draft.verdict, draft.args(), comment.clone());
        drafts.into_iter().map(rule)
    });
    let architectures = meaning.arches().map(ArchToken::from).collect();
    Ok(Profile::new(default, architectures, rules.collect()))
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

/// Rules that mean the same as `rows` in every ABI.
fn rules_for(
    meaning: &Semantics,
    name: &str,
    rows: &[(Arch, Decision)],
    default: Verdict,
) -> Result<Vec<RuleDraft>, AlgebraError> {
    let fits = |rules: &[RuleDraft]| {
        rows.iter().all(|(arch, wanted)| {
            decide(rules, default, bits(*arch)).is_ok_and(|found| found.same(wanted) == Ok(true))
        })
    };
    // As a profile has it, where libseccomp takes that as it is meant; the shortest, so that the order is no matter.
    let candidates = meaning.names.get(name).into_iter().flat_map(|source| &source.candidates);
    let plain = |rules: &&Vec<RuleDraft>| rules.len() == 1 || rules.iter().all(RuleDraft::is_plain);
    let mut given: Vec<_> = candidates.filter(plain).filter(|rules| fits(rules)).collect();
    given.sort_by_key(|rules| rules.len());
    if let Some(rules) = given.first() {
        return Ok((*rules).clone());
    }
    let written = rows.iter().filter_map(|(_, wanted)| from_decision(wanted));
    let mut written: Vec<_> = written.filter(|rules| fits(rules)).collect();
    written.sort_by_key(Vec::len);
    let arch = rows.last().map_or(Arch::X86_64, |(arch, _)| *arch);
    written.into_iter().next().ok_or(AlgebraError::NotExpressible {
        name: name.to_owned(),
        arch,
        why: "one rule would have to mean different things on different architectures, or more rules than a filter holds",
    })
}

/// Rules for a decision, `None` where they are too many.
fn from_decision(decision: &Decision) -> Option<Vec<RuleDraft>> {
    if decision.cases.is_empty() {
        return Some(vec![RuleDraft { conditions: Vec::new(), verdict: decision.otherwise }]);
    }
    let mut rules = Vec::new();
    for (region, verdict) in &decision.cases {
        let alone = if decision.cases.len() == 1 { single(region, decision.bits) } else { None };
        let conjunctions = alone.map(|one| vec![one]).or_else(|| cubes(region, decision.bits))?;
        rules.extend(conjunctions.into_iter().map(|conditions| RuleDraft { conditions, verdict: *verdict }));
        if rules.len() > MOST_RULES {
            return None;
        }
    }
    rules.sort();
    Some(rules)
}

/// A region as one conjunction with any operator.
fn single(region: &Region, bits: u64) -> Option<Vec<Draft>> {
    let condition = |(index, values): (u8, &Values)| {
        let all = Values::all(bits);
        let whole = (values.low, values.high) == (all.low, all.high);
        Some(match *values {
            values if values == all => None,
            Values { low, high, .. } if low == high => Some((index, Operator::Equal, low, 0)),
            Values { mask: 0, high, .. } if values.low == 0 => Some((index, Operator::LessOrEqual, high, 0)),
            Values { mask: 0, low, .. } if values.high == bits => {
                Some((index, Operator::GreaterOrEqual, low, 0))
            }
            Values { mask, value, .. } if whole => Some((index, Operator::MaskedEqual, mask, value)),
            _ => return None,
        })
    };
    let conditions: Option<Vec<_>> = (0..).zip(&region.0).map(condition).collect();
    conditions.map(|conditions| conditions.into_iter().flatten().collect())
}

/// A region as conjunctions of masks and values.
fn cubes(region: &Region, bits: u64) -> Option<Vec<Vec<Draft>>> {
    let mut conjunctions: Vec<Vec<Draft>> = vec![Vec::new()];
    for (index, values) in (0..).zip(&region.0) {
        let condition = |(mask, value)| match mask {
            0 => None,
            mask if mask == bits => Some((index, Operator::Equal, value, 0)),
            mask => Some((index, Operator::MaskedEqual, mask, value)),
        };
        let choices: Vec<Option<Draft>> = values.cubes(bits).into_iter().map(condition).collect();
        let extended = |one: &Vec<Draft>| {
            choices.iter().map(|choice| one.iter().copied().chain(*choice).collect()).collect::<Vec<_>>()
        };
        conjunctions = conjunctions.iter().flat_map(extended).collect();
        if conjunctions.len() > MOST_RULES {
            return None;
        }
    }
    Some(conjunctions)
}

/// Rules for i386's `socketcall` and `ipc` themselves, where those that come with other names are not enough.
fn holders(
    meaning: &Semantics,
    default: Verdict,
    rules: &mut BTreeMap<String, Vec<RuleDraft>>,
) -> Result<(), AlgebraError> {
    let Some(table) = meaning.arches.get(&Arch::X86) else { return Ok(()) };
    for name in HOLDERS {
        let Some(call) = Syscall::from_name(Arch::X86, name) else { continue };
        let wanted = table.decision(call);
        let too_many = |_| AlgebraError::TooComplex { call };
        let found = read(Arch::X86, default, rules)?.decision(call);
        if found.same(&wanted).map_err(too_many)? {
            continue;
        }
        let missing =
            found.pairs(&wanted).map_err(too_many)?.into_iter().filter(|(_, found, wanted)| found != wanted);
        let cases = missing.map(|(region, _, wanted)| (region, wanted)).collect();
        let missing = match wanted.cases.is_empty() {
            true => wanted,
            false => Decision { cases, otherwise: default, bits: wanted.bits }.tidy(),
        };
        let plain = cubes_of(&missing).ok_or(AlgebraError::TooComplex { call })?;
        rules.insert(name.to_owned(), plain);
    }
    Ok(())
}

/// As [`from_decision`], beside rules of other names.
fn cubes_of(decision: &Decision) -> Option<Vec<RuleDraft>> {
    if decision.cases.is_empty() {
        return from_decision(decision);
    }
    let mut rules = Vec::new();
    for (region, verdict) in &decision.cases {
        let conjunctions = cubes(region, decision.bits)?;
        rules.extend(conjunctions.into_iter().map(|conditions| RuleDraft { conditions, verdict: *verdict }));
    }
    rules.sort();
    Some(rules)
}

fn read(
    arch: Arch,
    default: Verdict,
    rules: &BTreeMap<String, Vec<RuleDraft>>,
) -> Result<Table, AlgebraError> {
    let by_name = |(name, drafts): (&'_ String, &'_ Vec<RuleDraft>)| {
        drafts.iter().map(|draft| (name.clone(), draft.clone())).collect::<Vec<_>>()
    };
    let rules: Vec<(String, RuleDraft)> = rules.iter().flat_map(by_name).collect();
    let rules: Vec<(&str, RuleDraft)> =
        rules.iter().map(|(name, draft)| (name.as_str(), draft.clone())).collect();
    Table::new(arch, default, &rules)
}

/// Whether the rules mean what they should in every ABI, call by call.
fn verify(
    meaning: &Semantics,
    default: Verdict,
    rules: &BTreeMap<String, Vec<RuleDraft>>,
) -> Result<(), AlgebraError> {
    for (arch, wanted) in &meaning.arches {
        let found = read(*arch, default, rules)?;
        for call in wanted.calls.keys().chain(found.calls.keys()) {
            if found.decision(*call).same(&wanted.decision(*call)) != Ok(true) {
                return Err(AlgebraError::NotExpressible {
                    name: call.to_string(),
                    arch: *arch,
                    why: "rules count on every architecture that has the name",
                });
            }
        }
    }
    Ok(())
}
