//! A profile that allows also what it denied.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::Judgement;
use crate::model::Arg;
use crate::{
    ArgIndex, CheckReport, Environment, Filter, Profile, ProfileError, Reason, Resolved, Rule, Verdict,
    check_instances, generate,
};

/// What [`allow_denied`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Allowed {
    /// The profile.
    pub profile: Profile,
    /// Names that rules of the profile denied, and which these do not have any more.
    pub taken_out: BTreeSet<String>,
    /// Denied numbers without a name, which no profile can allow.
    pub unnamed: BTreeSet<Syscall>,
    /// What the check found: every denied call of a name is allowed, with the arguments that it had.
    pub check: CheckReport,
}

/// The values of each argument that a rule tests; empty: any call.
type Tested = BTreeSet<Vec<(u8, u64)>>;

/// Adds to a profile what it denied in a run: the names, and where rules allow a name for other arguments, those that it
/// had. What the profile has is kept, but that rules which deny a name lose it where nothing else helps. The
/// result is checked with the calls that were denied.
///
/// # Errors
/// Those of [`check_instances`], which is [`ProfileError::Denied`] where the profile's rules leave no way to add one.
pub fn allow_denied(
    profile: &Profile,
    environment: &Environment,
    native: Arch,
    judgement: &Judgement,
) -> Result<Allowed, ProfileError> {
    let filter = Filter::new(&Resolved::new(profile, environment, native)?)?;
    let mut names: BTreeMap<&str, Tested> = BTreeMap::new();
    let (mut unnamed, mut instances, mut calls) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for judged in judgement.denied() {
        let Some(name) = judged.call.name() else {
            unnamed.insert(judged.call);
            continue;
        };
        calls.insert(judged.call);
        instances.extend(judged.args.keys().map(|args| (judged.call, *args)));
        let tested = if judged.others > 0 { 0 } else { filter.tested(judged.call) };
        let pick = |args: &[u64; 6]| {
            (0u8..)
                .zip(args)
                .filter(|(index, _)| tested & (1 << index) != 0)
                .map(|(i, value)| (i, *value))
                .collect()
        };
        names.entry(name).or_default().extend(judged.args.keys().map(pick));
        if judged.others > 0 {
            names.entry(name).or_default().insert(Vec::new());
            instances.insert((judged.call, [0; 6]));
        }
    }
    let mut result = profile.clone();
    generate::cover_calls(&mut result, native, &calls)?;
    result.syscalls.get_or_default().extend(rules(&names));
    let mut taken_out = BTreeSet::new();
    if let Err(ProfileError::Denied(denials)) = check_instances(&result, &instances, environment) {
        let names: BTreeSet<&str> = denials.0.iter().filter_map(|denial| denial.call.name()).collect();
        for name in names {
            if result.take_out(name, |rule| !rule.action().executes()) {
                taken_out.insert(name.to_owned());
            }
        }
    }
    let check = check_instances(&result, &instances, environment)?;
    Ok(Allowed { profile: result, taken_out, unnamed, check })
}

/// One rule for all names without conditions, and for each other name one for each of its arguments.
fn rules(names: &BTreeMap<&str, Tested>) -> Vec<Rule> {
    let comment = Reason::Workload.to_string();
    let whole = |tested: &Tested| tested.contains(&Vec::new());
    let plain: Vec<String> =
        names.iter().filter(|(_, tested)| whole(tested)).map(|(name, _)| (*name).to_owned()).collect();
    let mut rules = Vec::new();
    if !plain.is_empty() {
        rules.push(Rule::allow(plain, comment.clone()));
    }
    for (name, tested) in names.iter().filter(|(_, tested)| !whole(tested)) {
        for values in tested {
            let arg = |(index, value): &(u8, u64)| {
                ArgIndex::try_from(u64::from(*index)).ok().map(|index| Arg::equal(index, *value))
            };
            let args = values.iter().filter_map(arg).collect();
            rules.push(Rule::new(vec![(*name).to_owned()], Verdict::Allow, args, comment.clone()));
        }
    }
    rules
}
