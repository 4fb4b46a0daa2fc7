//! What a recording needs against what a profile allows.

use std::collections::BTreeSet;
use std::fmt;

use seccomp_trace_core::{Arch, Phase, Recording, Syscall};
use serde::Serialize;

use super::Policy;
use super::conditions::Conditions;
use super::needs::Needs;
use crate::constants::constant;
use crate::{
    ALWAYS, AlgebraError, Baseline, Environment, Operator, Profile, Resolved, ResolvedRule, Semantics,
};

/// A recorded call that a profile does not execute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DeniedCall {
    /// The ABI.
    pub arch: Arch,
    /// The call.
    pub syscall: String,
    /// Its number.
    pub nr: i32,
    /// The value of its captured argument, `None` where it is denied whatever the arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the profile does, `None` where it does not cover the ABI.
    pub verdict: Option<String>,
}

impl fmt::Display for DeniedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value.as_ref().map_or_else(String::new, |value| format!("({value})"));
        let verdict = self.verdict.as_deref().unwrap_or("the architecture is not covered");
        write!(f, "{}{value} of {}: {verdict}", self.syscall, self.arch)
    }
}

/// What [`compare`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// What the recording needs and the profile denies.
    pub denied: Vec<DeniedCall>,
    /// Recorded calls that the profile executes for some arguments only, when theirs were not captured.
    pub depends_on_arguments: BTreeSet<String>,
    /// Names that the profile allows, and that the recording has in no ABI. Without what a container's runtime and every
    /// program may need.
    pub unused: BTreeSet<String>,
    /// Values of a captured argument that the profile allows and the recording does not have: `socket(AF_INET6)`.
    pub unused_values: BTreeSet<String>,
    /// ABIs besides the machine's own that the profile covers and the recording does not have.
    pub unused_arches: BTreeSet<Arch>,
    /// The profile allows what it does not name, so that no list of what is unused is complete.
    pub allows_by_default: bool,
}

impl Comparison {
    /// Whether the profile allows something that the recording did not use.
    #[must_use]
    pub fn allows_too_much(&self) -> bool {
        self.allows_by_default
            || !(self.unused.is_empty() && self.unused_values.is_empty() && self.unused_arches.is_empty())
    }
}

/// Compares what was recorded with what `profile` executes, by the filters that libseccomp compiles from it, for a
/// container in `environment` that the runtimes of `baseline` start.
///
/// # Errors
/// Those of [`Semantics::compiled`], and those of [`generate`](super::generate()) for an empty recording.
pub fn compare(
    recording: &Recording,
    profile: &Profile,
    environment: &Environment,
    baseline: Baseline,
) -> Result<Comparison, AlgebraError> {
    let policy = Policy::default();
    let needs = Needs::of(recording, &policy)?;
    let conditions = Conditions::of(recording, &needs, &policy);
    let used: BTreeSet<&str> = recording.calls().keys().filter_map(|call| call.name()).collect();
    let expected: BTreeSet<&str> = baseline
        .runtimes()
        .flat_map(|runtime| runtime.entries.iter().map(|entry| entry.name))
        .chain(ALWAYS.iter().map(|always| always.name))
        .collect();
    let mut found = Comparison::default();
    for native in &needs.natives {
        let resolved = Resolved::new(profile, environment, *native)?;
        let meaning = Semantics::compiled(profile, &resolved)?;
        let needed = needs.workload.union(&needs.runtime_init);
        for call in needed.filter(|call| call.arch.native_of() == *native) {
            found.look_at(*call, &meaning, &conditions);
        }
        for (arch, table) in &meaning.arches {
            found.allows_by_default |= table.default.executes();
            let executes = |verdict: &crate::Verdict| verdict.executes();
            let allowed = table.calls.iter().filter(|(_, does)| does.values().keys().any(executes));
            // i386's `socketcall` comes with `socket`, and nobody has asked for it.
            let named = |name: &&str| meaning.names.contains_key(*name);
            let names = allowed.filter_map(|(call, _)| call.name()).filter(named);
            let unused = names.filter(|name| !used.contains(name) && !expected.contains(name));
            found.unused.extend(unused.map(str::to_owned));
            if arch != native && !recording.calls().keys().any(|call| call.arch == *arch) {
                found.unused_arches.insert(*arch);
            }
        }
        found.unused_values.extend(unused_values(&resolved, recording));
    }
    found.denied.sort();
    found.denied.dedup();
    Ok(found)
}

impl Comparison {
    /// Puts one needed call where it belongs.
    fn look_at(&mut self, call: Syscall, meaning: &Semantics, conditions: &Conditions) {
        let denied = |value, verdict| DeniedCall {
            arch: call.arch,
            syscall: call.to_string(),
            nr: call.nr.0,
            value,
            verdict,
        };
        let Some(table) = meaning.arches.get(&call.arch) else {
            self.denied.push(denied(None, None));
            return;
        };
        let decision = table.decision(call);
        if let Some(verdict) = decision.as_constant() {
            if !verdict.executes() {
                self.denied.push(denied(None, Some(verdict.to_string())));
            }
            return;
        }
        let name = call.to_string();
        let Some(condition) = conditions.get(&name) else {
            self.depends_on_arguments.insert(name);
            return;
        };
        for (value, args) in condition.values.iter().zip(conditions.instances(call)) {
            let verdict = decision.at(&args);
            if !verdict.executes() {
                let shown = constant(&name, *value).unwrap_or_else(|| format!("{value:#x}"));
                self.denied.push(denied(Some(shown), Some(verdict.to_string())));
            }
        }
    }
}

/// What rules with one equality allow, of calls whose argument was captured wherever they were made.
fn unused_values(resolved: &Resolved<'_>, recording: &Recording) -> BTreeSet<String> {
    let seen = |name: &str, index: usize, value: u64| {
        let calls = recording.calls().iter().filter(|(call, _)| call.name() == Some(name));
        let phases = calls.flat_map(|(_, phases)| phases.iter()).filter(|(phase, _)| **phase != Phase::Setup);
        phases.fold(None, |seen, (_, phase)| {
            let args = phase.args.as_ref().filter(|args| !args.widened && usize::from(args.index) == index);
            // What was not captured may have been anything.
            let has = args.is_none_or(|args| args.values.keys().any(|known| known.0 == value));
            Some(seen.unwrap_or(false) || has)
        })
    };
    let one = |rule: &&ResolvedRule<'_>| rule.verdict.executes() && rule.args.len() == 1;
    let equal = resolved.rules.iter().filter(one).filter(|rule| rule.args[0].op() == Operator::Equal);
    equal
        .flat_map(|rule| rule.names.iter().map(move |name| (*name, &rule.args[0])))
        .filter(|(name, arg)| seen(name, arg.index().as_usize(), arg.value()) == Some(false))
        .map(|(name, arg)| {
            let value = arg.value();
            format!("{name}({})", constant(name, value).unwrap_or_else(|| format!("{value:#x}")))
        })
        .collect()
}
