//! Docker's dialect (moby `profiles/seccomp/types.go`; Podman's is a superset of it): the runtime-spec's, and
//! `archMap`, `comment`, `includes` and `excludes`, which the engine evaluates.

use serde::Serialize;

use super::oci::{LinuxSyscall, note_unknown_fields, to_json};
use super::{ExportError, Note};
use crate::{Action, ArchToken, Condition, Profile, ProfileError};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Seccomp<'a> {
    default_action: Action,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_errno_ret: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    architectures: Vec<ArchToken>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arch_map: Vec<Architecture<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    flags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    listener_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listener_metadata: Option<&'a str>,
    syscalls: Vec<Syscall<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Architecture<'a> {
    architecture: ArchToken,
    sub_architectures: &'a [ArchToken],
}

#[derive(Serialize)]
struct Syscall<'a> {
    #[serde(flatten)]
    rule: LinuxSyscall<'a>,
    #[serde(skip_serializing_if = "str::is_empty")]
    comment: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    includes: Option<Filter<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excludes: Option<Filter<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filter<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    arches: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    caps: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    min_kernel: Option<String>,
}

/// The profile without what only containers-common knows: errors by name become numbers, `name` becomes `names`.
pub(super) fn write(profile: &Profile, notes: &mut Vec<Note>) -> Result<String, ExportError> {
    if !profile.architectures().is_empty() && !profile.arch_map().is_empty() {
        return Err(ProfileError::BothArchLists.into());
    }
    note_unknown_fields(profile, notes);
    let mut syscalls = Vec::new();
    for (index, rule) in profile.rules().iter().enumerate() {
        if rule.names().next().is_none() {
            notes.push(Note::EmptyRule { index });
            continue;
        }
        syscalls.push(Syscall {
            rule: LinuxSyscall::of(rule),
            comment: rule.comment(),
            includes: filter(rule.includes()),
            excludes: filter(rule.excludes()),
        });
    }
    // containers-common's word for the machine's own, which every filter covers; runc does not know it.
    let listed = profile.architectures().iter().filter(|token| token.as_str() != "SCMP_ARCH_NATIVE");
    let map = profile.arch_map().iter().map(|entry| Architecture {
        architecture: entry.architecture(),
        sub_architectures: entry.sub_architectures(),
    });
    Ok(to_json(&Seccomp {
        default_action: profile.default_action(),
        default_errno_ret: profile.default_errno(),
        architectures: listed.copied().collect(),
        arch_map: map.collect(),
        flags: profile.flags(),
        listener_path: profile.listener_path(),
        listener_metadata: profile.listener_metadata(),
        syscalls,
    }))
}

fn filter(condition: &Condition) -> Option<Filter<'_>> {
    let filter = Filter {
        arches: condition.arches(),
        caps: condition.caps(),
        min_kernel: condition.min_kernel().map(|version| version.to_string()),
    };
    let says = !filter.arches.is_empty() || !filter.caps.is_empty() || filter.min_kernel.is_some();
    says.then_some(filter)
}
