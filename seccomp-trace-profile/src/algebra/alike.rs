//! Denying a call in one way on all architectures.
//!
//! A rule counts on every architecture that a profile lists. A profile that does not list one kills its calls there,
//! whatever they are, and another that lists it has an errno of its own for each: the exact combination then denies one
//! name in different ways, which no rule can say, though all that matters is that it is denied.

use seccomp_trace_core::Arch;

use super::Combination;
use crate::semantics::draft::Decision;
use crate::{Semantics, Verdict};

/// The decisions with one verdict for all that is denied: the combination of those that there are. `None` where that
/// changes nothing.
pub(super) fn alike(rows: &[(Arch, Decision)], how: Combination) -> Option<Vec<(Arch, Decision)>> {
    let verdicts = rows.iter().flat_map(|(_, decision)| decision.values().into_keys());
    let one = verdicts.filter(|verdict| verdict.denies()).reduce(|one, two| how.of(one, two))?;
    let changed = |(arch, decision): &(Arch, Decision)| {
        let decision = decision.map(|verdict| if verdict.denies() { one } else { verdict });
        // It has as many pieces as before, or fewer.
        decision.map(|decision| (*arch, decision)).ok()
    };
    let changed: Option<Vec<_>> = rows.iter().map(changed).collect();
    changed.filter(|changed| changed != rows)
}

/// Gives all ABIs one default, where theirs are different ways of denying. Whether it did.
pub(super) fn default_alike(meaning: &mut Semantics, how: Combination) -> bool {
    let defaults = || meaning.arches.values().map(|table| table.default);
    let Some(one) = defaults().reduce(|one, two| how.of(one, two)) else { return false };
    if defaults().all(|default| default == one) || !defaults().all(Verdict::denies) {
        return false;
    }
    for table in meaning.arches.values_mut() {
        let old = std::mem::replace(&mut table.default, one);
        for decision in table.calls.values_mut() {
            if let Ok(changed) = decision.map(|verdict| if verdict == old { one } else { verdict }) {
                *decision = changed;
            }
        }
    }
    true
}
