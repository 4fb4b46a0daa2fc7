//! Union and intersection of profiles.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::Syscall;

use super::AlgebraError;
use crate::semantics::table::{Judge, Table};
use crate::{Profile, Semantics, Verdict};

/// How verdicts are combined. Both use the kernel's order of precedence (seccomp(2), "Filter return values"):
/// `KILL_PROCESS`, `KILL_THREAD`, `TRAP`, `ERRNO`, `USER_NOTIF`, `TRACE`, `LOG`, `ALLOW`, strictest first; of two errno
/// values or messages the smaller is the stricter. An order is a lattice, so both are commutative, associative and
/// idempotent, and absorb each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// What any allows: the least strict verdict; every ABI that one covers.
    Union,
    /// What all allow: the strictest verdict; the ABIs that all cover.
    Intersection,
}

/// What becomes of calls that the profiles deny (or log, or hand on) in different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The order of [`Combination`] decides.
    Order,
    /// The same; and where the profiles have different architectures, so that no rule can say it, a call that is denied
    /// in different ways is denied in one way on all of them. What is allowed stays exact.
    Alike,
    /// They are an error.
    Refuse,
}

/// A merged profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The profile.
    pub profile: Profile,
    /// The names that are denied in one way on all architectures, where the combination has several
    /// ([`OnConflict::Alike`]).
    pub denied_alike: BTreeSet<String>,
    /// Whether that is so for the calls that no rule is about.
    pub default_alike: bool,
}

impl From<Profile> for Merged {
    /// A profile that is meant to be the exact combination.
    fn from(profile: Profile) -> Self {
        Self { profile, denied_alike: BTreeSet::new(), default_alike: false }
    }
}

impl Combination {
    /// The verdict of the two.
    #[must_use]
    pub fn of(self, one: Verdict, other: Verdict) -> Verdict {
        // `Verdict` is ordered as the kernel orders it.
        match self {
            Self::Union => one.max(other),
            Self::Intersection => one.min(other),
        }
    }
}

/// Merges profiles, which must have been resolved for the same machine. The result is in OCI form, and the same
/// profiles in any order give one that decides the same.
///
/// `includes` and `excludes` have been resolved by then; names that no covered ABI has are not in the result. Flags are
/// joined in a union and met in an intersection; the supervisor stays where a rule of the result asks one.
///
/// The result is compared with the inputs before it is given out: by the rules where one of them was made by
/// [`Semantics::new`], else by the filters that libseccomp compiles.
///
/// ```
/// use seccomp_trace_core::Arch;
/// use seccomp_trace_profile::{Combination, Environment, OnConflict, Profile, Resolved, Semantics, merge};
///
/// let semantics = |text: &str| {
///     let profile = Profile::from_json(text).unwrap();
///     Semantics::new(&profile, &Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap()).unwrap()
/// };
/// let one = semantics(r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}"#);
/// let two = semantics(r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_ALLOW"}]}"#);
/// let both = merge(&[one, two], Combination::Union, OnConflict::Order)?;
/// assert_eq!(both.profile.rules()[0].names().collect::<Vec<_>>(), ["read", "write"]);
/// # Ok::<(), seccomp_trace_profile::AlgebraError>(())
/// ```
///
/// # Errors
/// [`AlgebraError::Conflict`] and [`AlgebraError::ConflictOfDefaults`] where they are to be refused,
/// [`AlgebraError::NotExpressible`] and [`AlgebraError::TooComplex`] where no rules mean the result,
/// [`AlgebraError::Listeners`] where it would have to ask two supervisors.
pub fn merge(
    profiles: &[Semantics],
    how: Combination,
    on_conflict: OnConflict,
) -> Result<Merged, AlgebraError> {
    let (first, rest) = profiles.split_first().ok_or(AlgebraError::Nothing)?;
    let mut result = first.clone();
    for other in rest {
        result = result.combine(other, how, on_conflict)?;
    }
    let same_arches = rest.iter().all(|other| other.arches().eq(first.arches()));
    super::write::write(result, (on_conflict == OnConflict::Alike).then_some(how), same_arches)
}

impl Semantics {
    /// The function that combines the two.
    ///
    /// # Errors
    /// As [`merge`], without those of writing back.
    pub fn combine(
        &self,
        other: &Self,
        how: Combination,
        on_conflict: OnConflict,
    ) -> Result<Self, AlgebraError> {
        let mut arches = BTreeMap::new();
        let covered: BTreeSet<_> = self.arches.keys().chain(other.arches.keys()).copied().collect();
        for arch in covered {
            // An ABI that is not covered is stricter than any verdict.
            match (self.arches.get(&arch), other.arches.get(&arch), how) {
                (Some(one), Some(two), _) => {
                    arches.insert(arch, one.combine(two, how, on_conflict)?);
                }
                (Some(one), None, Combination::Union) | (None, Some(one), Combination::Union) => {
                    arches.insert(arch, one.clone());
                }
                _ => {}
            }
        }
        let mut names = self.names.clone();
        for (name, source) in &other.names {
            let known = names.entry(name.clone()).or_default();
            known.candidates.extend(source.candidates.iter().cloned());
            known.comments.extend(source.comments.iter().cloned());
        }
        let installation = self.installation.combine(&other.installation, how);
        let judge = if self.judge == other.judge { self.judge } else { Judge::Rules };
        Ok(Self { arches, names, installation, judge })
    }
}

impl Table {
    fn combine(&self, other: &Self, how: Combination, on_conflict: OnConflict) -> Result<Self, AlgebraError> {
        let differ = |one: Verdict, two: Verdict| {
            on_conflict == OnConflict::Refuse && one != two && one != Verdict::Allow && two != Verdict::Allow
        };
        if differ(self.default, other.default) {
            return Err(AlgebraError::ConflictOfDefaults { first: self.default, second: other.default });
        }
        let default = how.of(self.default, other.default);
        let mut calls = BTreeMap::new();
        let named: BTreeSet<Syscall> = self.calls.keys().chain(other.calls.keys()).copied().collect();
        for call in named {
            let (one, two) = (self.decision(call), other.decision(call));
            let mut conflict = None;
            let both = one.combine(&two, |first, second| {
                if differ(first, second) {
                    conflict = Some((first, second));
                }
                how.of(first, second)
            });
            if let Some((first, second)) = conflict {
                return Err(AlgebraError::Conflict { call, first, second });
            }
            calls.insert(call, both.map_err(|_| AlgebraError::TooComplex { call })?);
        }
        Ok(Self { default, calls })
    }
}
