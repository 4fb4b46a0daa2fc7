//! `linux.seccomp` of the OCI runtime-spec (config-linux.md, schema/config-linux.json): no `archMap`, `includes`,
//! `excludes`, comments or names of errors.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Note, Source};
use crate::{Action, Arg, Operator, Rule};

/// The object. Keys in the order of the specification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinuxSeccomp<'a> {
    pub(super) default_action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default_errno_ret: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) architectures: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) flags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) listener_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) listener_metadata: Option<&'a str>,
    pub(super) syscalls: Vec<LinuxSyscall<'a>>,
}

/// A rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinuxSyscall<'a> {
    pub(super) names: Vec<&'a str>,
    pub(super) action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errno_ret: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) args: Vec<LinuxArg>,
}

/// A condition.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinuxArg {
    index: u8,
    value: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_two: Option<u64>,
    op: Operator,
}

impl From<&Arg> for LinuxArg {
    fn from(arg: &Arg) -> Self {
        let masked = arg.op() == Operator::MaskedEqual;
        Self {
            index: arg.index().into(),
            value: arg.value(),
            value_two: masked.then(|| arg.value_two()),
            op: arg.op(),
        }
    }
}

impl<'a> LinuxSyscall<'a> {
    pub(super) fn of(rule: &'a Rule) -> Self {
        Self {
            names: rule.names().collect(),
            action: rule.action(),
            errno_ret: rule.errno(),
            args: rule.args().iter().map(LinuxArg::from).collect(),
        }
    }
}

/// The profile as the runtime gets it from an engine.
pub(super) fn resolved<'a>(source: &Source<'a>, notes: &mut Vec<Note>) -> LinuxSeccomp<'a> {
    let profile = source.profile;
    note_unknown_fields(profile, notes);
    for (index, rule) in profile.rules().iter().enumerate() {
        if rule.names().next().is_none() {
            notes.push(Note::EmptyRule { index });
        }
    }
    LinuxSeccomp {
        default_action: profile.default_action(),
        default_errno_ret: profile.default_errno(),
        architectures: source.resolved.architectures.iter().map(|token| token.as_str()).collect(),
        flags: profile.flags(),
        listener_path: profile.listener_path(),
        listener_metadata: profile.listener_metadata(),
        syscalls: source
            .resolved
            .rules
            .iter()
            .map(|rule| LinuxSyscall::of(&profile.rules()[rule.index]))
            .collect(),
    }
}

pub(super) fn write(source: &Source<'_>, notes: &mut Vec<Note>) -> String {
    to_json(&resolved(source, notes))
}

/// Indented, with a final line feed.
pub(super) fn to_json(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("strings, numbers and lists can be written");
    text.push('\n');
    text
}

/// Says which fields are left out because only this file knows what they mean.
pub(super) fn note_unknown_fields(profile: &crate::Profile, notes: &mut Vec<Note>) {
    let mut paths: BTreeSet<String> = profile.other().keys().cloned().collect();
    for (index, rule) in profile.rules().iter().enumerate() {
        paths.extend(rule.other().keys().map(|key| format!("syscalls[{index}].{key}")));
        for (position, arg) in rule.args().iter().enumerate() {
            paths.extend(arg.other().keys().map(|key| format!("syscalls[{index}].args[{position}].{key}")));
        }
    }
    if !paths.is_empty() {
        notes.push(Note::UnknownFields { paths });
    }
}
