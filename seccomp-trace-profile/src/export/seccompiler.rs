//! The JSON of rust-vmm's `seccompiler` crate (its `docs/json_format.md`): one filter for one ABI, with one action for
//! what matches and one for what does not.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};
use serde::Serialize;
use serde_json::{Value, json};

use super::oci::to_json;
use super::{ExportError, Note, Source};
use crate::{Arg, Decision, Operator, ResolvedRule, Verdict};

/// The name of the filter in the file.
const THREAD: &str = "main_thread";

#[derive(Serialize)]
struct Filter<'a> {
    mismatch_action: Value,
    match_action: Value,
    filter: Vec<Rule<'a>>,
}

#[derive(Serialize)]
struct Rule<'a> {
    syscall: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    args: Vec<Condition>,
}

#[derive(Serialize)]
struct Condition {
    index: u8,
    #[serde(rename = "type")]
    width: &'static str,
    op: Value,
    val: u64,
}

pub(super) fn write(source: &Source<'_>, notes: &mut Vec<Note>) -> Result<String, ExportError> {
    let native = source.resolved.native;
    let default = source.resolved.default;
    let mismatch_action = action(default).ok_or_else(|| source.refuse_default())?;
    source.note_installation(notes);
    let mut matching: Option<Verdict> = None;
    let mut filter = Vec::new();
    let mut unknown = BTreeSet::new();
    for (name, decision) in source.decisions() {
        let rules = match &decision {
            Decision::Default => continue,
            Decision::Fixed(rule) => vec![*rule],
            Decision::ByArguments(rules) => rules.clone(),
        };
        if Syscall::from_name(native, name).is_none() {
            unknown.insert(name.to_owned());
            continue;
        }
        for rule in rules {
            if *matching.get_or_insert(rule.verdict) != rule.verdict || action(rule.verdict).is_none() {
                return Err(source.refuse_action(rule.index, name));
            }
            filter.extend(alternatives(rule).into_iter().map(|args| Rule { syscall: name, args }));
        }
    }
    if default.executes() && matching.is_none() {
        return Err(source.refuse_default());
    }
    if !unknown.is_empty() {
        notes.push(Note::UnknownNames { to: native.to_string(), names: unknown });
    }
    note_other_abis(source, native, notes);
    let match_action = action(matching.unwrap_or(Verdict::Allow)).ok_or_else(|| source.refuse_default())?;
    let filter = Filter { mismatch_action, match_action, filter };
    Ok(to_json(&std::collections::BTreeMap::from([(THREAD, filter)])))
}

/// Says that calls of the other ABIs are killed.
fn note_other_abis(source: &Source<'_>, only: Arch, notes: &mut Vec<Note>) {
    let others = source.resolved.architectures.iter().filter(|token| token.arch(only) != Some(only));
    let others: Vec<String> = others.map(ToString::to_string).collect();
    if !others.is_empty() {
        notes.push(Note::OneAbi { arch: only, others });
    }
}

/// Conditions that must hold together; several lists where runtimes make a rule of each condition.
fn alternatives(rule: &ResolvedRule<'_>) -> Vec<Vec<Condition>> {
    let arguments: BTreeSet<_> = rule.args.iter().map(Arg::index).collect();
    if arguments.len() == rule.args.len() {
        vec![rule.args.iter().map(condition).collect()]
    } else {
        rule.args.iter().map(|arg| vec![condition(arg)]).collect()
    }
}

fn condition(arg: &Arg) -> Condition {
    let (op, val) = match arg.op() {
        Operator::NotEqual => (json!("ne"), arg.value()),
        Operator::Less => (json!("lt"), arg.value()),
        Operator::LessOrEqual => (json!("le"), arg.value()),
        Operator::Equal => (json!("eq"), arg.value()),
        Operator::GreaterOrEqual => (json!("ge"), arg.value()),
        Operator::Greater => (json!("gt"), arg.value()),
        Operator::MaskedEqual => (json!({ "masked_eq": arg.value() }), arg.value_two()),
    };
    Condition { index: arg.index().into(), width: "qword", op, val }
}

/// seccompiler's name of an action; it has none for asking a supervisor.
fn action(verdict: Verdict) -> Option<Value> {
    Some(match verdict {
        Verdict::Allow => json!("allow"),
        Verdict::Log => json!("log"),
        Verdict::Errno(code) => json!({ "errno": code }),
        Verdict::Trace(message) => json!({ "trace": message }),
        Verdict::Trap => json!("trap"),
        Verdict::KillThread => json!("kill_thread"),
        Verdict::KillProcess => json!("kill_process"),
        Verdict::Notify => return None,
    })
}
