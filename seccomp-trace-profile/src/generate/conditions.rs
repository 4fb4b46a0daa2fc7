//! Conditions on arguments, from the values that were captured.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Phase, Recording, Syscall};

use super::{Policy, Reason, needs::Needs, warning::Warning};
use crate::constants::constant;
use crate::model::Arg;
use crate::{ArgIndex, Rule};

/// The values that one argument of a call may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) index: ArgIndex,
    pub(super) values: BTreeSet<u64>,
}

/// The conditions of a recording by name, and what is to be said about them.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    by_name: BTreeMap<&'static str, Condition>,
    pub(super) warnings: Vec<Warning>,
}

impl Conditions {
    /// A name has a condition where every recorded call of that name, in every ABI and phase that counts, had its
    /// values captured: a rule is by name, for all ABIs.
    pub(super) fn of(recording: &Recording, needs: &Needs, policy: &Policy) -> Self {
        let mut found = Self::default();
        if !policy.conditions {
            return found;
        }
        let mut unconditional = BTreeSet::new();
        for (call, phases) in recording.calls() {
            let Some(name) = call.name() else { continue };
            let counts = |phase: &Phase| match phase {
                Phase::Workload => needs.workload.contains(call),
                _ => needs.runtime_init.contains(call),
            };
            for (_, seen) in phases.iter().filter(|(phase, _)| counts(phase)) {
                let args = seen.args.as_ref().filter(|args| !args.widened && !args.values.is_empty());
                let index = args.and_then(|args| ArgIndex::try_from(u64::from(args.index)).ok());
                let (Some(args), Some(index)) = (args, index) else {
                    unconditional.insert(name);
                    continue;
                };
                let values: BTreeSet<u64> = args.values.keys().map(|value| value.0).collect();
                // The kernel takes these arguments as 32 bits, a filter compares 64: what stands in the upper half
                // is chance, and the next run may have something else there.
                if values.iter().any(|value| *value > u64::from(u32::MAX)) {
                    found.warnings.push(Warning::UpperHalf { name: name.to_owned() });
                    unconditional.insert(name);
                    continue;
                }
                let known = found.by_name.entry(name);
                let condition = known.or_insert_with(|| Condition { index, values: BTreeSet::new() });
                if condition.index != index {
                    unconditional.insert(name);
                }
                condition.values.extend(values);
            }
        }
        found.by_name.retain(|name, _| !unconditional.contains(name));
        found.warnings.sort();
        found.warnings.dedup();
        found
    }

    /// The condition of a call of this name.
    pub(super) fn get(&self, name: &str) -> Option<&Condition> {
        self.by_name.get(name)
    }

    /// One rule per value: conditions of one rule on one argument would all have to hold.
    pub(super) fn rules(&self, names: &BTreeMap<&'static str, Reason>, i386: bool) -> Vec<(Reason, Rule)> {
        let mut rules = Vec::new();
        for (name, condition) in &self.by_name {
            let Some(reason) = names.get(name) else { continue };
            for value in &condition.values {
                let shown = constant(name, *value).unwrap_or_else(|| format!("{value:#x}"));
                let mut comment = format!("{reason} - {name}({shown})");
                if i386 && matches!(*name, "socket" | "socketpair") {
                    comment.push_str(", not for 32-bit x86 callers: their socketcall is allowed whole");
                }
                let arg = Arg::equal(condition.index, *value);
                rules.push((reason.clone(), Rule::allow_if((*name).to_owned(), arg, comment)));
            }
        }
        rules
    }

    /// What a check has to find allowed of a recorded call: its values, each in the argument's place.
    pub(super) fn instances(&self, call: Syscall) -> Vec<[u64; 6]> {
        let condition = call.name().and_then(|name| self.get(name));
        let Some(Condition { index, values }) = condition else { return vec![[0; 6]] };
        values
            .iter()
            .map(|value| {
                let mut args = [0; 6];
                args[index.as_usize()] = *value;
                args
            })
            .collect()
    }
}

/// Whether 32-bit x86 code is among what the profile covers.
pub(super) fn covers_i386(covered: &BTreeSet<Arch>) -> bool {
    covered.contains(&Arch::X86)
}
