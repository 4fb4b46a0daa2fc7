//! Why a call is allowed or denied, and what that means.

mod danger;
mod multiplexed;
mod provenance;

use std::collections::BTreeSet;

pub use danger::{DANGERS, Danger, DangerKind};
pub use provenance::Seen;
use seccomp_trace_core::{Arch, Recording, Syscall};
use serde::Serialize;

use crate::semantics::multiplex::HOLDERS;
use crate::{Arg, Decision, Group, Operator, Profile, Reason, Resolved, ResolvedRule};

/// What is to be known about a call under a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The call.
    pub name: String,
    /// What happens to it, for each ABI of the profile that has it.
    pub arches: Vec<ArchVerdict>,
    /// The rules that decide, in order; none where the default action does.
    pub rules: Vec<Deciding>,
    /// systemd's groups that hold it.
    pub groups: Vec<&'static str>,
    /// Why it widens the attack surface, for a call that does and that the profile may let through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub danger: Option<&'static str>,
    /// Where it was seen, in the recordings that were given.
    pub seen: Vec<Seen>,
}

/// What happens to a call of an ABI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArchVerdict {
    /// The ABI.
    pub arch: Arch,
    /// The call's number in it.
    pub nr: i32,
    /// The action and its errno; `by arguments` where it depends on those.
    pub verdict: String,
    /// For a call that i386 makes by another one: that, with its first argument, and the call that it is then. The number
    /// is the other's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}

/// What is said of a verdict that depends on arguments.
const BY_ARGUMENTS: &str = "by arguments";

/// A rule that decides about a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deciding {
    /// Its position in the profile.
    pub index: usize,
    /// The action and its errno.
    pub verdict: String,
    /// The conditions on arguments, in words; empty where there are none.
    pub conditions: String,
    /// The rule's comment.
    pub comment: String,
    /// Why the rule is there, where its comment says so in this project's form, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Explains calls by name, in the order of the alphabet: those given, or all that rules which count have.
///
/// ```
/// use seccomp_trace_core::Arch;
/// use seccomp_trace_profile::{Environment, Profile, Resolved, explain};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
///         {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "comment": "seccomp-trace: workload"}]}"#,
/// )?;
/// let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64)?;
/// let bpf = &explain(&profile, &resolved, &["bpf"], &[])[0];
/// assert_eq!(bpf.arches[0].verdict, "SCMP_ACT_ALLOW");
/// assert_eq!(bpf.rules[0].reason.as_deref(), Some("the program called it"));
/// assert!(bpf.danger.is_some());
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[must_use]
pub fn explain(
    profile: &Profile,
    resolved: &Resolved<'_>,
    names: &[&str],
    recordings: &[Recording],
) -> Vec<Explanation> {
    let all = resolved.rules.iter().flat_map(|rule| rule.names.iter().copied());
    let names: BTreeSet<&str> =
        if names.is_empty() { all.collect() } else { names.iter().copied().collect() };
    names.into_iter().map(|name| one(profile, resolved, name, recordings)).collect()
}

fn one(profile: &Profile, resolved: &Resolved<'_>, name: &str, recordings: &[Recording]) -> Explanation {
    let decision = Decision::of(resolved, name);
    let (verdict, rules) = match &decision {
        Decision::Default => (resolved.default.to_string(), Vec::new()),
        Decision::Fixed(rule) => (rule.verdict.to_string(), vec![*rule]),
        Decision::ByArguments(rules) => (BY_ARGUMENTS.to_owned(), rules.clone()),
    };
    let mut rules: Vec<Deciding> = rules.into_iter().map(|rule| deciding(profile, name, rule)).collect();
    // A rule without conditions for what holds others decides about those too.
    if !matches!(decision, Decision::Fixed(_)) {
        rules.extend(multiplexed::rules(profile, resolved, name));
        rules.sort_by_key(|rule| rule.index);
    }
    let calls: Vec<Syscall> = resolved.arches().filter_map(|arch| Syscall::from_name(arch, name)).collect();
    let seen = provenance::seen(&calls, recordings);
    let dangerous = decision.may_execute(resolved.default) && !calls.is_empty();
    let mut arches: Vec<ArchVerdict> = Vec::new();
    for call in calls {
        let holds_others = call.arch == Arch::X86 && HOLDERS.contains(&name);
        let verdict = if holds_others { multiplexed::verdict(resolved, call, None) } else { verdict.clone() };
        arches.push(ArchVerdict { arch: call.arch, nr: call.nr.0, verdict, through: None });
    }
    arches.extend(multiplexed::verdicts(resolved, name));
    Explanation {
        name: name.to_owned(),
        rules,
        groups: Group::of(name).map(Group::name).collect(),
        danger: Danger::of(name).filter(|_| dangerous).map(|danger| danger.why),
        seen,
        arches,
    }
}

fn deciding(profile: &Profile, name: &str, rule: &ResolvedRule<'_>) -> Deciding {
    let comment = profile.rules()[rule.index].comment();
    let arguments: BTreeSet<_> = rule.args.iter().map(Arg::index).collect();
    // Runtimes make a rule of each condition where two are on one argument.
    let joint = if arguments.len() == rule.args.len() { " and " } else { " or " };
    Deciding {
        index: rule.index,
        verdict: rule.verdict.to_string(),
        conditions: rule.args.iter().map(condition).collect::<Vec<_>>().join(joint),
        comment: comment.to_owned(),
        reason: Reason::from_comment(comment).map(|reason| in_words(&reason, name)),
    }
}

fn condition(arg: &Arg) -> String {
    let (index, value) = (arg.index().as_usize(), arg.value());
    match arg.op() {
        Operator::NotEqual => format!("argument {index} != {value}"),
        Operator::Less => format!("argument {index} < {value}"),
        Operator::LessOrEqual => format!("argument {index} <= {value}"),
        Operator::Equal => format!("argument {index} == {value}"),
        Operator::GreaterOrEqual => format!("argument {index} >= {value}"),
        Operator::Greater => format!("argument {index} > {value}"),
        // libseccomp drops the bits that are outside the mask.
        Operator::MaskedEqual if value == 0 => format!("argument {index} is anything"),
        Operator::MaskedEqual => format!("argument {index} & {value:#x} == {:#x}", arg.value_two() & value),
    }
}

/// Why a rule of ours is there, for one of its calls.
fn in_words(reason: &Reason, name: &str) -> String {
    let list =
        |runtimes: &BTreeSet<String>| runtimes.iter().map(String::as_str).collect::<Vec<_>>().join(" and ");
    match reason {
        Reason::Workload => "the program called it".to_owned(),
        Reason::Denied => {
            "every kernel in use has it, so no C library needs ENOSYS to fall back on".to_owned()
        }
        Reason::Always => {
            let why = crate::ALWAYS.iter().find(|always| always.name == name).map(|always| always.reason);
            why.unwrap_or("every program may need it").to_owned()
        }
        Reason::RuntimeInit(runtimes) if runtimes.is_empty() => {
            "the container runtime called it before the program started".to_owned()
        }
        Reason::RuntimeInit(runtimes) => format!("{} called it before the program started", list(runtimes)),
        Reason::Baseline(runtimes) => {
            let entries = crate::BASELINES.iter().filter(|baseline| runtimes.contains(baseline.runtime));
            let entries = entries.filter_map(|baseline| {
                let entry = baseline.entries.iter().find(|entry| entry.name == name)?;
                Some(format!("{}: {}", baseline.runtime, entry.reason))
            });
            let known: Vec<String> = entries.collect();
            if known.is_empty() { format!("{} needs it", list(runtimes)) } else { known.join("; ") }
        }
    }
}
