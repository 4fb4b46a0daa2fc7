//! A merged profile against the filters that libseccomp compiles.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};

use super::{AlgebraError, Combination};
use crate::{Compiled, Environment, Profile, Resolved, Semantics};

/// What was compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Proof {
    /// Calls with arguments that were put through the filters of all profiles.
    pub cases: usize,
}

/// Compiles the profiles and puts calls through the filters: of each input, it must be what its rules say, and of the
/// result, the combination of the inputs. For every call that a rule is about, arguments are at and beside every bound
/// of every rule. A profile alone (`inputs` empty) is compared with its own rules.
///
/// # Errors
/// [`AlgebraError::Miscompiled`] for the first difference; those of [`Compiled::new`] and [`Semantics::new`].
pub fn prove(
    result: &Profile,
    inputs: &[(String, &Profile)],
    how: Combination,
    environment: &Environment,
    native: Arch,
) -> Result<Proof, AlgebraError> {
    let mut profiles = vec![("the result".to_owned(), result)];
    profiles.extend(inputs.iter().cloned());
    let mut sides = Vec::new();
    for (name, profile) in &profiles {
        let resolved = Resolved::new(profile, environment, native)?;
        let meaning = Semantics::new(profile, &resolved)?;
        let filters: Result<Vec<_>, _> =
            meaning.arches().map(|arch| Compiled::new(&resolved, arch)).collect();
        sides.push((name, meaning, filters?));
    }
    let mut calls: BTreeSet<Syscall> = BTreeSet::new();
    for (_, meaning, _) in &sides {
        for (arch, table) in &meaning.arches {
            calls.extend(table.calls.keys());
            calls.insert(Syscall::new(*arch, 0x0fff_ffff));
        }
    }
    let mut cases = 0;
    for call in calls {
        for args in samples(&sides.iter().map(|(_, meaning, _)| meaning).collect::<Vec<_>>(), call) {
            let mut combined = None;
            let mut found_result = None;
            for (position, (name, meaning, filters)) in sides.iter().enumerate() {
                let Some(filter) = filters.iter().find(|filter| filter.arch() == call.arch) else { continue };
                let skipped = call.name().is_some_and(|name| filter.skipped().contains(name));
                let found = filter.verdict(call, args);
                // What this libseccomp does not know by name has the default, in all filters.
                if let Some(expected) =
                    meaning.verdict(call, args).filter(|expected| *expected != found && !skipped)
                {
                    return Err(AlgebraError::Miscompiled {
                        which: (*name).clone(),
                        call,
                        args,
                        expected,
                        found,
                    });
                }
                match position {
                    0 => found_result = Some(found),
                    _ => combined = Some(combined.map_or(found, |before| how.of(before, found))),
                }
                cases += 1;
            }
            if let (Some(found), Some(expected)) = (found_result, combined)
                && found != expected
            {
                return Err(AlgebraError::Miscompiled {
                    which: "the result".to_owned(),
                    call,
                    args,
                    expected,
                    found,
                });
            }
        }
    }
    Ok(Proof { cases })
}

/// Arguments at and beside the bounds of all rules for a call: each alone, and some together.
fn samples(meanings: &[&Semantics], call: Syscall) -> BTreeSet<[u64; 6]> {
    let mut bounds: [BTreeSet<u64>; 6] = std::array::from_fn(|_| BTreeSet::from([0, 1]));
    let mut samples = BTreeSet::from([[0; 6]]);
    let decisions = meanings.iter().filter_map(|meaning| meaning.arches.get(&call.arch)?.calls.get(&call));
    for (region, _) in decisions.flat_map(|decision| &decision.cases) {
        let witness = region.witness();
        samples.insert(witness);
        for (index, values) in region.0.iter().enumerate() {
            for bound in [values.low, values.high, values.value, values.value | !values.mask, values.mask] {
                for near in [bound, bound.wrapping_sub(1), bound.wrapping_add(1), bound ^ (1 << 32)] {
                    bounds[index].insert(near);
                    let mut sample = witness;
                    sample[index] = near;
                    samples.insert(sample);
                }
            }
        }
    }
    // Each argument steps through its bounds at its own pace.
    for step in 0..64_usize {
        let pick =
            |index: usize| bounds[index].iter().nth((step * (index + 1)) % bounds[index].len()).copied();
        samples.insert(std::array::from_fn(|index| pick(index).unwrap_or(0)));
    }
    let low = |args: [u64; 6]| {
        if call.arch == Arch::X86 || call.arch == Arch::Arm {
            args.map(|arg| arg & 0xffff_ffff)
        } else {
            args
        }
    };
    samples.into_iter().map(low).collect()
}
