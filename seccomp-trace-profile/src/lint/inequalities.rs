//! Rules that libseccomp compiles to something else.
//!
//! Found by comparing the filters of 2.5.4 with the rules: several rules for one call, one of them with an inequality, are
//! compiled as they are meant where all look at one argument and compare it with values that have one upper half. Of
//! others some are, some are not, and on some it does not end. Where it is there, it is asked.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::at;
use super::{Code, Finding};
use crate::semantics::draft::{RuleDraft, drafts};
#[cfg(feature = "libseccomp")]
use crate::semantics::table::{Judge, Table};
#[cfg(feature = "libseccomp")]
use crate::{AlgebraError, ProfileError};
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
        let halves_differ = halves(&rules).len() > 1;
        let why = match (shapes(&rules).len() > 1, halves_differ) {
            (_, true) => "compare with values whose upper halves differ",
            (true, false) if !are_right(resolved, name, &rules) => "look at different arguments",
            _ => continue,
        };
        let message = format!("the rules for {name}, this one with an inequality, {why}");
        findings.push(Finding::new(Code::Inequalities, at(*index), message));
    }
}

/// The sets of arguments that rules look at.
fn shapes(rules: &[(usize, RuleDraft)]) -> BTreeSet<Vec<u8>> {
    let shape = |(_, rule): &(usize, RuleDraft)| rule.conditions.iter().map(|(index, ..)| *index).collect();
    rules.iter().map(shape).collect()
}

/// The upper halves of the values that arguments are compared with.
fn halves(rules: &[(usize, RuleDraft)]) -> BTreeSet<u64> {
    let conditions = rules.iter().flat_map(|(_, rule)| &rule.conditions);
    conditions
        .filter(|(_, op, ..)| *op != Operator::MaskedEqual)
        .map(|(_, _, value, _)| value >> 32)
        .collect()
}

/// Whether this machine's libseccomp compiles the rules as they are meant, or it cannot be said what is meant. Rules that
/// it does not get done with are not right.
#[cfg(feature = "libseccomp")]
fn are_right(resolved: &Resolved<'_>, name: &str, rules: &[(usize, RuleDraft)]) -> bool {
    let named: Vec<(&str, RuleDraft)> = rules.iter().map(|(_, rule)| (name, rule.clone())).collect();
    resolved.arches().all(|arch| {
        let table = |judge| Table::judged(judge, arch, resolved.default, &named);
        let (meant, found) = (table(Judge::Rules), table(Judge::Filters));
        match (meant, found) {
            (_, Err(AlgebraError::Profile(ProfileError::Endless { .. }))) => false,
            (Ok(meant), Ok(found)) => meant.calls == found.calls,
            _ => true,
        }
    })
}

/// Not known without libseccomp.
#[cfg(not(feature = "libseccomp"))]
fn are_right(_: &Resolved<'_>, _: &str, _: &[(usize, RuleDraft)]) -> bool {
    false
}
