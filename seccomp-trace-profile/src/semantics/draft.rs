//! Rules for one name, before they are a profile's.

use seccomp_trace_core::Arch;

use super::decision::{Decision, TooMany};
use super::region::Region;
use super::values::Values;
use crate::{Arg, ArgIndex, Operator, ResolvedRule, Verdict};

/// A condition: index, operator, value, second value.
pub(crate) type Draft = (u8, Operator, u64, u64);

/// A conjunction and what happens where it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleDraft {
    pub(crate) conditions: Vec<Draft>,
    pub(crate) verdict: Verdict,
}

/// The bits of an argument that a filter for this ABI compares.
pub(crate) fn bits(arch: Arch) -> u64 {
    match arch {
        Arch::X86_64 | Arch::Aarch64 => u64::MAX,
        _ => u32::MAX.into(),
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

impl RuleDraft {
    /// The regions it is about; `None`: all calls, which libseccomp sees where every mask is zero.
    pub(crate) fn regions(&self, bits: u64) -> Option<Vec<Region>> {
        let says = |(_, op, value, _): &&Draft| *op != Operator::MaskedEqual || value & bits != 0;
        let mut regions = vec![Region::all(bits)];
        for (index, op, first, second) in self.conditions.iter().filter(says) {
            let sets = Values::of(*op, *first, *second, bits);
            let narrowed = |region: &Region| {
                let mut region = *region;
                sets.iter()
                    .map(|set| {
                        region.0[usize::from(*index)] = *set;
                        region
                    })
                    .collect::<Vec<_>>()
            };
            regions = regions.iter().flat_map(narrowed).collect();
        }
        if self.conditions.iter().any(|condition| says(&condition)) { Some(regions) } else { None }
    }

    /// Whether libseccomp compiles it as meant also beside other rules.
    pub(crate) fn is_plain(&self) -> bool {
        self.conditions.iter().all(|(_, op, ..)| matches!(op, Operator::Equal | Operator::MaskedEqual))
    }

    pub(crate) fn args(&self) -> Vec<Arg> {
        let arg = |(index, op, value, second): &Draft| {
            Arg::new(ArgIndex::try_from(u64::from(*index)).unwrap_or_default(), *op, *value, *second)
        };
        self.conditions.iter().map(arg).collect()
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
    bits: u64,
) -> Result<Decision, Trouble> {
    let rules: Vec<_> = rules
        .into_iter()
        .filter(|rule| rule.verdict != default)
        .map(|rule| (rule, rule.regions(bits)))
        .collect();
    if let Some((rule, _)) = rules.iter().find(|(_, regions)| regions.is_none()) {
        return Ok(Decision::constant(rule.verdict, bits));
    }
    let mut decision = Decision::constant(default, bits);
    for (rule, regions) in rules {
        for region in regions.into_iter().flatten() {
            if let Some(other) = decision.add(region, rule.verdict)? {
                return Err(Trouble::Overlap(other, rule.verdict));
            }
        }
    }
    Ok(decision.tidy())
}
