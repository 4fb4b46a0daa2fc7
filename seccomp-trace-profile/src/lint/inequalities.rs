//! Rules that libseccomp compiles to something else, found by comparing its filters with the rules: of several rules for
//! one call, one with an inequality, on different arguments or with values whose upper halves differ.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::at;
use super::{Code, Finding};
use crate::semantics::draft::{Draft, RuleDraft, drafts};
use crate::{Operator, Resolved};

pub(super) fn look(findings: &mut Vec<Finding>, resolved: &Resolved<'_>) {
    let mut by_name: BTreeMap<&str, Vec<(usize, RuleDraft)>> = BTreeMap::new();
    for rule in resolved.rules.iter().filter(|rule| rule.verdict != resolved.default) {
        for name in &rule.names {
            let drafts = drafts(rule).into_iter().map(|draft| (rule.index, draft));
            by_name.entry(name).or_default().extend(drafts);
        }
    }
    for (name, rules) in by_name {
        // A rule without conditions beats the others.
        if rules.len() < 2 || rules.iter().any(|(_, rule)| rule.conditions.is_empty()) {
            continue;
        }
        let Some((index, _)) = rules.iter().find(|(_, rule)| !rule.is_plain()) else { continue };
        let all: Vec<&[Draft]> = rules.iter().map(|(_, rule)| rule.conditions.as_slice()).collect();
        let why = if mixes(all) {
            "look at different arguments"
        } else if halves_differ(&rules) {
            "compare one argument with values whose upper halves differ"
        } else {
            continue;
        };
        let message = format!("the rules for {name}, this one with an inequality, {why}");
        findings.push(Finding::new(Code::Inequalities, at(*index), message));
    }
}

/// Whether rules go on with different arguments after the same conditions.
fn mixes(rest: Vec<&[Draft]>) -> bool {
    let begins: BTreeSet<u8> =
        rest.iter().filter_map(|rest| rest.first()).map(|(index, ..)| *index).collect();
    let mut after: BTreeMap<&Draft, Vec<&[Draft]>> = BTreeMap::new();
    for (first, rest) in rest.into_iter().filter_map(<[Draft]>::split_first) {
        after.entry(first).or_default().push(rest);
    }
    begins.len() > 1 || after.into_values().any(mixes)
}

fn halves_differ(rules: &[(usize, RuleDraft)]) -> bool {
    let mut halves: BTreeMap<u8, BTreeSet<u64>> = BTreeMap::new();
    for (index, op, value, _) in rules.iter().flat_map(|(_, rule)| &rule.conditions) {
        if *op != Operator::MaskedEqual {
            halves.entry(*index).or_default().insert(value >> 32);
        }
    }
    halves.values().any(|halves| halves.len() > 1)
}
