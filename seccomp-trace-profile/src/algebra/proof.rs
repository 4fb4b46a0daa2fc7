//! A merged profile against the filters that libseccomp compiles.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};

use super::{AlgebraError, Combination, Merged};
use crate::semantics::draft::Decision;
use crate::{Environment, Profile, Resolved, Semantics, Verdict};

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Proof {
    /// Calls, each of one ABI, whose verdicts were compared for all arguments.
    pub calls: usize,
}

/// Compiles the profiles anew and compares the filters for every call that a rule is about and for all arguments: that
/// of the result must be the combination of those of the inputs. Without inputs, the result's filter is compared with
/// its own rules. What [`Merged`] says to be denied alike may be denied in another way.
///
/// What this machine's libseccomp does not know is compared by the rules.
///
/// # Errors
/// [`AlgebraError::Miscompiled`] for the first difference; those of [`Semantics::compiled`].
pub fn prove(
    result: &Merged,
    inputs: &[(String, &Profile)],
    how: Combination,
    environment: &Environment,
    native: Arch,
) -> Result<Proof, AlgebraError> {
    let profile = &result.profile;
    let resolved = Resolved::new(profile, environment, native)?;
    let found = Semantics::compiled(profile, &resolved)?;
    let wanted = if inputs.is_empty() {
        vec![Semantics::new(profile, &resolved)?]
    } else {
        let compiled = |(_, input): &(String, &Profile)| {
            Semantics::compiled(input, &Resolved::new(input, environment, native)?)
        };
        inputs.iter().map(compiled).collect::<Result<_, _>>()?
    };
    let mut calls: BTreeSet<Syscall> = BTreeSet::new();
    for (arch, table) in found.arches.iter().chain(wanted.iter().flat_map(|side| &side.arches)) {
        calls.extend(table.calls.keys());
        // A number that nobody has a rule for stands for all of those.
        calls.insert(Syscall::new(*arch, 0x0fff_ffff));
    }
    let calls: Vec<Syscall> =
        calls.into_iter().filter(|call| found.arches.contains_key(&call.arch)).collect();
    for call in &calls {
        let expected = combined(&wanted, *call, how)?;
        let pairs = expected
            .combine(&found.arches[&call.arch].decision(*call), |one, two| (one, two))
            .map_err(|_| AlgebraError::TooComplex { call: *call })?;
        let named = call.name().is_some_and(|name| result.denied_alike.contains(name));
        let alike = named || result.default_alike;
        let differ = |((one, two), _): &((Verdict, Verdict), [u64; 6])| {
            one != two && !(alike && one.denies() && two.denies())
        };
        if let Some(((expected, found), args)) = pairs.values().into_iter().find(differ) {
            return Err(AlgebraError::Miscompiled { call: *call, args, expected, found });
        }
    }
    Ok(Proof { calls: calls.len() })
}

/// What the combination does with a call of an ABI that it covers.
fn combined(sides: &[Semantics], call: Syscall, how: Combination) -> Result<Decision, AlgebraError> {
    let tables = sides.iter().map(|side| side.arches.get(&call.arch));
    let covered: Vec<_> = tables.flatten().map(|table| table.decision(call)).collect();
    // An ABI that is not covered is stricter than any verdict.
    if covered.is_empty() || (how == Combination::Intersection && covered.len() < sides.len()) {
        return Ok(Decision::constant(Verdict::KillProcess));
    }
    let mut decisions = covered.into_iter();
    let first = decisions.next().unwrap_or(Decision::constant(Verdict::KillProcess));
    decisions.try_fold(first, |before, next| {
        before.combine(&next, |one, two| how.of(one, two)).map_err(|_| AlgebraError::TooComplex { call })
    })
}
