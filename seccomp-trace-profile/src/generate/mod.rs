//! A recording and a policy make a profile.

mod arches;
#[cfg(feature = "libseccomp")]
mod compare;
mod conditions;
mod errnos;
mod needs;
mod policy;
mod reason;
mod warning;
#[cfg(feature = "libseccomp")]
mod withheld;

use std::collections::{BTreeMap, BTreeSet};

#[cfg(feature = "libseccomp")]
pub use compare::{Comparison, DeniedCall, compare};
use conditions::{Conditions, covers_i386};
pub use errnos::Errnos;
use needs::Needs;
pub use policy::{Policy, SetupCalls};
pub use reason::Reason;
use seccomp_trace_core::{Arch, Recording, Syscall};
pub use warning::Warning;
#[cfg(feature = "libseccomp")]
pub use withheld::Withheld;

use crate::kernels::calls_of;
use crate::semantics::multiplex::HOLDERS;
use crate::{ALWAYS, Action, Errno, Profile, ProfileError, Rule, Verdict, resolve};

/// A profile and what is to be known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Generated {
    /// The profile.
    pub profile: Profile,
    /// The calls that this run added: what was recorded, and what is allowed whatever was recorded, the latter
    /// for every ABI of the profile that has it. These are what a check must find allowed.
    pub added: BTreeSet<Syscall>,
    /// The same calls with the arguments that a check must find allowed: of a call with a condition each value, of
    /// the others zeros.
    pub instances: BTreeSet<(Syscall, [u64; 6])>,
    /// Recorded calls that the base mentions, so that its rules alone decide about them.
    pub governed: BTreeSet<Syscall>,
    /// Recorded numbers that have no name in their ABI; no profile can allow them.
    pub unnamed: BTreeSet<Syscall>,
    /// What the user should know, in a fixed order.
    pub warnings: Vec<Warning>,
}

/// Derives a profile.
///
/// Calls of the program and of the runtime under the filter are allowed, those of [`ALWAYS`], and the baseline
/// of the policy's runtimes; everything else fails with the policy's errno. Rules are grouped by [`Reason`],
/// each name is in one of them, and no rule is empty. A name whose argument was captured has one rule per value
/// instead, with a comment that names it, beside which another group may allow the name with any argument. With a base, its rules come first and unchanged, and
/// only names that none of them mentions are added, whatever those rules' action and conditions.
///
/// The same recording and the same policy give the same bytes.
///
/// # Errors
/// [`ProfileError::BothArchLists`] for such a base, [`ProfileError::UnknownNativeArch`] for an empty recording
/// on a machine that cannot be recorded on.
pub fn generate(recording: &Recording, policy: &Policy) -> Result<Generated, ProfileError> {
    let needs = Needs::of(recording, policy)?;
    let base_names: BTreeSet<&str> =
        policy.base.iter().flat_map(Profile::rules).flat_map(Rule::names).collect();
    let mut profile = skeleton(policy);
    arches::cover(&mut profile, &needs)?;
    let covered = covered(&profile, &needs)?;

    let conditions = Conditions::of(recording, &needs, policy);
    let mut groups = Groups {
        base: &base_names,
        conditions: &conditions,
        reasons: BTreeMap::new(),
        conditional: BTreeMap::new(),
    };
    let mut generated = Generated {
        profile,
        added: BTreeSet::new(),
        instances: BTreeSet::new(),
        governed: BTreeSet::new(),
        unnamed: BTreeSet::new(),
        warnings: Vec::new(),
    };
    for call in &needs.workload {
        generated.sort_in(*call, &Reason::Workload, &mut groups);
    }
    for always in ALWAYS.iter().filter(|always| always.arches.iter().any(|arch| covered.contains(arch))) {
        groups.claim(always.name, &Reason::Always);
    }
    let runtime_init = Reason::RuntimeInit(needs.runtimes.clone());
    for call in &needs.runtime_init {
        generated.sort_in(*call, &runtime_init, &mut groups);
    }
    for (name, runtimes) in baseline(policy) {
        groups.claim(name, &Reason::Baseline(runtimes));
    }

    for (name, reason) in &groups.reasons {
        if !matches!(reason, Reason::Workload | Reason::RuntimeInit(_)) {
            generated.added.extend(covered.iter().filter_map(|arch| Syscall::from_name(*arch, name)));
        }
    }
    let denied = denied(policy, &covered, &groups);
    generated.warnings = warnings(policy, &needs, &covered, &groups);
    generated.warnings.extend(conditions.warnings.iter().cloned());
    generated.instances = generated
        .added
        .iter()
        .flat_map(|call| groups.instances(*call).into_iter().map(|args| (*call, args)))
        .collect();
    let rules = generated.profile.syscalls.get_or_default();
    rules.extend(groups.rules(covers_i386(&covered)));
    rules.extend(denied);
    Ok(generated)
}

impl Generated {
    /// Puts a recorded call where it belongs.
    fn sort_in(&mut self, call: Syscall, reason: &Reason, groups: &mut Groups<'_>) {
        match call.name() {
            None => self.unnamed.insert(call),
            Some(name) if groups.base.contains(name) => self.governed.insert(call),
            Some(name) => {
                groups.recorded(name, reason);
                self.added.insert(call)
            }
        };
    }
}

/// Names and the first reason for each.
struct Groups<'a> {
    base: &'a BTreeSet<&'a str>,
    conditions: &'a Conditions,
    /// Names that are allowed with any argument.
    reasons: BTreeMap<&'static str, Reason>,
    /// Names that were recorded and have a condition.
    conditional: BTreeMap<&'static str, Reason>,
}

impl Groups<'_> {
    fn claim(&mut self, name: &'static str, reason: &Reason) {
        if !self.base.contains(name) {
            self.reasons.entry(name).or_insert_with(|| reason.clone());
        }
    }

    fn recorded(&mut self, name: &'static str, reason: &Reason) {
        if self.conditions.get(name).is_none() {
            self.claim(name, reason);
        } else if !self.base.contains(name) {
            self.conditional.entry(name).or_insert_with(|| reason.clone());
        }
    }

    fn instances(&self, call: Syscall) -> Vec<[u64; 6]> {
        let mut instances = self.conditions.instances(call);
        if call.name().is_some_and(|name| self.reasons.contains_key(name)) {
            instances.push([0; 6]);
        }
        instances
    }

    fn rules(self, i386: bool) -> Vec<Rule> {
        let mut names: BTreeMap<Reason, Vec<String>> = BTreeMap::new();
        for (name, reason) in self.reasons {
            names.entry(reason).or_default().push(name.to_owned());
        }
        let whole = names.into_iter().map(|(reason, names)| {
            let rule = Rule::allow(names, reason.to_string());
            (reason, rule)
        });
        let mut rules: Vec<_> = whole.collect();
        rules.extend(self.conditions.rules(&self.conditional, i386));
        // Stable: a group's names first, then its conditions by name and value.
        rules.sort_by(|(one, _), (other, _)| one.cmp(other));
        rules.into_iter().map(|(_, rule)| rule).collect()
    }
}

/// The rule for calls that are to fail in another way than the default one.
fn denied(policy: &Policy, covered: &BTreeSet<Arch>, groups: &Groups<'_>) -> Option<Rule> {
    let kernel = policy.eperm_known?;
    let open = |name: &&str| {
        !(groups.base.contains(name)
            || groups.reasons.contains_key(name)
            || groups.conditional.contains_key(name)
            // Whether i386's `socketcall` is allowed follows from the calls that it holds.
            || HOLDERS.contains(name))
    };
    let names = calls_of(kernel).filter(open);
    let names = names.filter(|name| covered.iter().any(|arch| Syscall::from_name(*arch, name).is_some()));
    let names: Vec<String> = names.map(str::to_owned).collect();
    let comment =
        format!("{} - with EPERM, since Linux {kernel} has the calls; others with ENOSYS", Reason::Denied);
    let eperm = Verdict::Errno(Errno::EPERM.code());
    (!names.is_empty()).then(|| Rule::new(names, eperm, Vec::new(), comment))
}

/// The base with this program's default action, or nothing but that.
fn skeleton(policy: &Policy) -> Profile {
    let mut profile = policy.base.clone().unwrap_or_else(|| Profile::empty(Action::Errno));
    profile.default_action = Action::Errno;
    match policy.errno {
        Some(errno) => profile.set_default_errno(errno),
        None if profile.default_errno().is_none() => profile.set_default_errno(Errno::ENOSYS),
        None => {}
    }
    profile
}

/// Makes a profile cover the ABIs of some calls, on a machine of this kind.
#[cfg(feature = "libseccomp")]
pub(crate) fn cover_calls(
    profile: &mut Profile,
    native: Arch,
    calls: &BTreeSet<Syscall>,
) -> Result<(), ProfileError> {
    let needs = Needs {
        workload: calls.clone(),
        runtime_init: BTreeSet::new(),
        runtimes: BTreeSet::new(),
        natives: BTreeSet::from([native]),
        others: calls.iter().map(|call| call.arch).filter(|arch| *arch != native).collect(),
    };
    if needs.others.is_empty() { Ok(()) } else { arches::cover(profile, &needs) }
}

/// Every ABI that the profile covers on the machines that were recorded.
fn covered(profile: &Profile, needs: &Needs) -> Result<BTreeSet<Arch>, ProfileError> {
    let mut covered = BTreeSet::new();
    for native in &needs.natives {
        let tokens = resolve::architectures(profile, *native)?;
        covered.extend(tokens.into_iter().filter_map(|token| token.arch(*native)));
    }
    Ok(covered)
}

/// Each name of the policy's baselines with the runtimes that need it.
fn baseline(policy: &Policy) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut names: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for baseline in policy.baseline.runtimes() {
        for entry in baseline.entries {
            names.entry(entry.name).or_default().insert(baseline.runtime.to_owned());
        }
    }
    names
}

fn warnings(policy: &Policy, needs: &Needs, covered: &BTreeSet<Arch>, groups: &Groups<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if needs.workload.is_empty() {
        warnings.push(Warning::NothingRecorded);
    }
    if needs.workload.iter().any(|call| call.name() == Some("io_uring_setup")) {
        warnings.push(Warning::IoUring);
    }
    if needs.others.contains(&Arch::X32) {
        warnings.push(Warning::X32);
    }
    let Some(base) = &policy.base else { return warnings };
    if base.default_action() != Action::Errno {
        warnings.push(Warning::DefaultAction { was: base.default_action() });
    }
    let empty = base.rules().iter().enumerate().filter(|(_, rule)| rule.names().next().is_none());
    warnings.extend(empty.map(|(index, _)| Warning::EmptyBaseRule { index }));
    let restricts = |rule: &Rule| !rule.args().is_empty() && rule.names().any(|name| name == "socket");
    if needs.others.contains(&Arch::X86) && base.rules().iter().any(restricts) {
        warnings.push(Warning::SocketOfI386);
    }

    let allowed: BTreeSet<&str> =
        base.rules().iter().filter(|rule| rule.action().executes()).flat_map(Rule::names).collect();
    let mut blocked: BTreeMap<Reason, Vec<String>> = BTreeMap::new();
    let mut look = |name: &str, reason: Reason| {
        if groups.base.contains(name) && !allowed.contains(name) {
            blocked.entry(reason).or_default().push(name.to_owned());
        }
    };
    for always in ALWAYS.iter().filter(|always| always.arches.iter().any(|arch| covered.contains(arch))) {
        look(always.name, Reason::Always);
    }
    for (name, runtimes) in baseline(policy) {
        look(name, Reason::Baseline(runtimes));
    }
    warnings.extend(blocked.into_iter().map(|(reason, names)| Warning::BlockedByBase { names, reason }));
    warnings
}
