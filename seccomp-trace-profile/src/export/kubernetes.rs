//! A `SeccompProfile` of the Kubernetes Security Profiles Operator. Source: its resource definition,
//! `deploy/base-crds/crds/seccompprofile.yaml`; `v1beta1` is what old and new operators serve.

use super::oci::{LinuxSeccomp, resolved};
use super::{ExportError, Format, Note, Source, yaml};
use crate::{Action, Errno};

/// The architectures of the definition.
const UNKNOWN: [&str; 4] = ["SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB"];
/// The folder that the definition wants a supervisor's socket in.
const SOCKETS: &str = "/var/run/security-profiles-operator/";

pub(super) fn write(source: &Source<'_>, notes: &mut Vec<Note>) -> Result<String, ExportError> {
    let mut spec = resolved(source, notes);
    refuse_large(source)?;
    if let Some(token) = source.resolved.architectures.iter().find(|token| UNKNOWN.contains(&token.as_str()))
    {
        return Err(ExportError::Architecture { format: Format::Kubernetes, token: *token });
    }
    // The definition has no such field.
    if let Some(was) = spec.default_errno_ret.take()
        && was != u32::from(Errno::EPERM.code())
    {
        match spec.default_action {
            Action::Errno => notes.push(Note::DefaultErrno { was }),
            Action::Trace => notes.push(Note::DefaultMessage { was }),
            // The others have no number.
            _ => {}
        }
    }
    if spec.listener_path.is_some_and(|path| !path.starts_with(SOCKETS)) {
        spec.listener_path = None;
        notes.push(Note::Listener);
    }
    // Its lists are sets: a name that is there twice is refused.
    for rule in &mut spec.syscalls {
        let mut seen = std::collections::BTreeSet::new();
        rule.names.retain(|name| seen.insert(*name));
    }
    Ok(document(&object_name(&source.options.name), &spec))
}

fn document(name: &str, spec: &LinuxSeccomp<'_>) -> String {
    yaml::Map::new()
        .text("apiVersion", "security-profiles-operator.x-k8s.io/v1beta1")
        .text("kind", "SeccompProfile")
        .map("metadata", yaml::Map::new().text("name", name))
        .value("spec", spec)
        .to_string()
}

/// The definition's numbers are signed.
fn refuse_large(source: &Source<'_>) -> Result<(), ExportError> {
    for rule in &source.resolved.rules {
        for value in rule.args.iter().flat_map(|arg| [arg.value(), arg.value_two()]) {
            if i64::try_from(value).is_err() {
                let name = rule.names.first().copied().unwrap_or_default().to_owned();
                return Err(ExportError::Number {
                    format: Format::Kubernetes,
                    index: rule.index,
                    name,
                    value,
                });
            }
        }
    }
    Ok(())
}

/// A name as Kubernetes wants it (RFC 1123): lower-case letters, digits, `-` and `.`, at most 253.
fn object_name(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let name: String = text.to_lowercase().chars().map(plain).take(253).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "seccomp-trace".to_owned() } else { name.to_owned() }
}
