//! Rules for one name, before they are a profile's.

use std::cell::Cell;
use std::collections::BTreeMap;

use seccomp_trace_core::Arch;

use super::diagram::{Bits, Diagram, TooMany};
use crate::{Arg, ArgIndex, Operator, ResolvedRule, Verdict};

/// What a profile does with one syscall of one ABI.
pub(crate) type Decision = Diagram<Verdict>;

/// A condition: index, operator, value, second value.
pub(crate) type Draft = (u8, Operator, u64, u64);

/// A conjunction and what happens where it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleDraft {
    pub(crate) conditions: Vec<Draft>,
    pub(crate) verdict: Verdict,
}

/// The bits of an argument that a filter for this ABI compares.
pub(crate) fn width(arch: Arch) -> u16 {
    match arch {
        Arch::X86_64 | Arch::Aarch64 => 64,
        _ => 32,
    }
}

/// What the runtime makes of one rule: two conditions on one argument are rules of their own.
pub(crate) fn drafts(rule: &ResolvedRule<'_>) -> Vec<RuleDraft> {
    let mut conditions: Vec<Draft> = rule.args.iter().map(draft).collect();
    conditions.sort_unstable();
    let verdict = rule.verdict;
    let twice = conditions.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if twice {
        conditions.into_iter().map(|one| RuleDraft { conditions: vec![one], verdict }).collect()
    } else {
        vec![RuleDraft { conditions, verdict }]
    }
}

fn draft(arg: &Arg) -> Draft {
    let second = if arg.op() == Operator::MaskedEqual { arg.value_two() } else { 0 };
    (arg.index().into(), arg.op(), arg.value(), second)
}

/// Where a condition holds. libseccomp compares the lower 32 bits of arguments of 32-bit ABIs, and of the condition
/// (`_db_rule_gen_32`, `src/db.c`), and drops the bits of a value that are outside its mask (`_db_node_mask_fixup`).
fn holds((index, op, first, second): &Draft, width: u16) -> Diagram<bool> {
    let bits = Bits { index: *index, lowest: 0, width };
    let number = if width == 64 { *first } else { first & u64::from(u32::MAX) };
    let plain = |wheres| Diagram::compare(bits, u64::MAX, number, wheres);
    match op {
        Operator::NotEqual => plain([true, false, true]),
        Operator::Less => plain([true, false, false]),
        Operator::LessOrEqual => plain([true, true, false]),
        Operator::Equal => plain([false, true, false]),
        Operator::GreaterOrEqual => plain([false, true, true]),
        Operator::Greater => plain([false, false, true]),
        Operator::MaskedEqual => Diagram::compare(bits, number, second & number, [false, true, false]),
    }
}

impl RuleDraft {
    /// The calls it is about; `None`: all, which libseccomp sees where every mask is zero.
    fn holds(&self, width: u16) -> Result<Option<Diagram<bool>>, TooMany> {
        let bits = if width == 64 { u64::MAX } else { u32::MAX.into() };
        let says = |(_, op, value, _): &&Draft| *op != Operator::MaskedEqual || value & bits != 0;
        let mut all = None;
        for condition in self.conditions.iter().filter(says) {
            let one = holds(condition, width);
            all = Some(match all {
                None => one,
                Some(all) => one.combine(&all, |one, all| one && all)?,
            });
        }
        Ok(all)
    }

    /// Whether libseccomp compiles it as meant also beside other rules.
    pub(crate) fn is_plain(&self) -> bool {
        self.conditions.iter().all(|(_, op, ..)| matches!(op, Operator::Equal | Operator::MaskedEqual))
    }

    /// The rule that holds where both do, with the stricter verdict; an inner `None`: nowhere, an outer one: it cannot
    /// be said in one condition for each argument.
    pub(crate) fn and(&self, other: &Self) -> Option<Option<Self>> {
        let mut conditions = self.conditions.clone();
        for theirs in &other.conditions {
            let Some(mine) = conditions.iter_mut().find(|mine| mine.0 == theirs.0) else {
                conditions.push(*theirs);
                continue;
            };
            if mine == theirs {
                continue;
            }
            let (Some((mask, value)), Some((their_mask, their_value))) = (masked(mine), masked(theirs))
            else {
                return None;
            };
            if (value ^ their_value) & mask & their_mask != 0 {
                return Some(None);
            }
            *mine = match mask | their_mask {
                u64::MAX => (mine.0, Operator::Equal, value | their_value, 0),
                mask => (mine.0, Operator::MaskedEqual, mask, value | their_value),
            };
        }
        conditions.sort_unstable();
        Some(Some(Self { conditions, verdict: self.verdict.min(other.verdict) }))
    }

    pub(crate) fn args(&self) -> Vec<Arg> {
        let arg = |(index, op, value, second): &Draft| {
            Arg::new(ArgIndex::try_from(u64::from(*index)).unwrap_or_default(), *op, *value, *second)
        };
        self.conditions.iter().map(arg).collect()
    }
}

/// A condition as a mask and a value of its bits.
fn masked((_, op, first, second): &Draft) -> Option<(u64, u64)> {
    match op {
        Operator::Equal => Some((u64::MAX, *first)),
        Operator::MaskedEqual => Some((*first, second & first)),
        _ => None,
    }
}

/// Rules overlap with different verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    TooMany,
    Overlap(Verdict, Verdict),
}

impl From<TooMany> for Trouble {
    fn from(TooMany: TooMany) -> Self {
        Self::TooMany
    }
}

/// What the rules for one call decide together.
pub(crate) fn decide<'a>(
    rules: impl IntoIterator<Item = &'a RuleDraft>,
    default: Verdict,
    width: u16,
) -> Result<Decision, Trouble> {
    let mut by_verdict: BTreeMap<Verdict, Vec<Diagram<bool>>> = BTreeMap::new();
    for rule in rules.into_iter().filter(|rule| rule.verdict != default) {
        match rule.holds(width)? {
            // It beats those with conditions, wherever it stands.
            None => return Ok(Decision::constant(rule.verdict)),
            Some(holds) => by_verdict.entry(rule.verdict).or_default().push(holds),
        }
    }
    let mut decided: Diagram<Option<Verdict>> = Diagram::constant(None);
    let overlap = Cell::new(None);
    for (verdict, alternatives) in by_verdict {
        let holds = Diagram::any(alternatives)?;
        decided = decided.combine(&holds, |before, holds| match (before, holds) {
            (Some(before), true) => {
                overlap.set(Some((before, verdict)));
                Some(before)
            }
            (before, false) => before,
            (None, true) => Some(verdict),
        })?;
    }
    match overlap.get() {
        Some((first, second)) => Err(Trouble::Overlap(first, second)),
        None => Ok(decided.map(|verdict| verdict.unwrap_or(default))?),
    }
}
