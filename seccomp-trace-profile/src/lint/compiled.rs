//! What this machine's libseccomp makes of a profile.

use std::collections::BTreeSet;

use libseccomp::error::SeccompErrno;
use seccomp_trace_core::Syscall;

use super::machine::at;
use super::{Code, Finding};
use crate::algebra::Args;
use crate::check::{UNNAMED, is_taken};
use crate::semantics::multiplex::HOLDERS;
use crate::{ArchToken, Compiled, Errno, Filter, Profile, ProfileError, Resolved, Verdict};

pub(super) fn look(findings: &mut Vec<Finding>, profile: &Profile, resolved: &Resolved<'_>) {
    let whole = match Filter::new(resolved) {
        Ok(whole) => whole,
        Err(error) => return refused(findings, profile, resolved, &error),
    };
    let names: BTreeSet<&str> = resolved.rules.iter().flat_map(|rule| rule.names.iter().copied()).collect();
    let names: Vec<&str> = names.into_iter().chain(HOLDERS).collect();
    for arch in resolved.arches().filter(|_| resolved.architectures.len() > 1) {
        let Ok(alone) = Compiled::new(resolved, arch) else { continue };
        let calls = names.iter().filter_map(|name| Syscall::from_name(arch, name));
        let all: BTreeSet<Syscall> = calls.chain([Syscall::new(arch, UNNAMED)]).collect();
        let mut differ = all.into_iter().filter_map(|call| Some((call, difference(&alone, &whole, call)?)));
        let Some((call, (meant, found, args))) = differ.next() else { continue };
        let others = match differ.count() {
            0 => String::new(),
            more => format!("; so it is of {more} more"),
        };
        let message = format!(
            "{} of {arch} with {} gets {found}, where the rules say {meant}{others}",
            shown(call),
            Args(&args)
        );
        let path = if profile.arch_map().is_empty() { "architectures" } else { "archMap" };
        findings.push(Finding::new(Code::ArchesTogether, path, message));
    }
}

/// What libseccomp or the kernel does not take, runtimes refuse.
fn refused(findings: &mut Vec<Finding>, profile: &Profile, resolved: &Resolved<'_>, error: &ProfileError) {
    let (path, message) = match error {
        ProfileError::Rule { index, name, source } => {
            let path = at(*index);
            if findings.iter().any(|known| known.code == Code::Refused && known.path == path) {
                return;
            }
            let rule = resolved.rules.iter().find(|rule| rule.index == *index);
            let why = match (rule.map(|rule| rule.verdict), source.errno()) {
                (Some(Verdict::Errno(code)), _) if code > Errno::MOST => {
                    format!("errno {code} is above {}", Errno::MOST)
                }
                (_, Some(SeccompErrno::EEXIST)) => {
                    "a rule before it has another action for the same arguments (on i386, what socketcall or ipc \
                     holds has no first argument)"
                        .to_owned()
                }
                _ => source.to_string(),
            };
            (path, format!("libseccomp refuses the rule for {name}: {why}"))
        }
        ProfileError::Libseccomp { .. } => match (unknown(resolved), resolved.default) {
            (Some(token), _) => {
                let position = profile.architectures().iter().position(|listed| *listed == token);
                let path =
                    position.map_or("archMap".to_owned(), |position| format!("architectures[{position}]"));
                (path, format!("this machine's libseccomp makes no filter for {token}"))
            }
            (None, Verdict::Errno(code)) if code > Errno::MOST => {
                ("defaultErrnoRet".to_owned(), format!("errno {code} is above {}", Errno::MOST))
            }
            _ => ("syscalls".to_owned(), causes(error)),
        },
        _ => ("syscalls".to_owned(), causes(error)),
    };
    findings.push(Finding::new(Code::Refused, path, message));
}

/// The first architecture of the filter that libseccomp does not take.
fn unknown(resolved: &Resolved<'_>) -> Option<ArchToken> {
    resolved.architectures.iter().copied().find(|token| !is_taken(*token))
}

fn causes(error: &ProfileError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn shown(call: Syscall) -> String {
    if call.name().is_some() { call.to_string() } else { "a call without a rule".to_owned() }
}

/// What the filter for the ABI alone and the whole one do, where that differs.
fn difference(alone: &Compiled, whole: &Filter, call: Syscall) -> Option<(Verdict, Verdict, [u64; 6])> {
    let alone = alone.program().decide(call.seccomp_nr(), call.arch.audit()).ok()?;
    let pairs = alone.combine(&whole.decide(call).ok()?, |alone, whole| (alone, whole)).ok()?;
    let found = pairs.values().into_iter().find(|((alone, whole), _)| alone != whole);
    found.map(|((alone, whole), args)| (alone, whole, args))
}
