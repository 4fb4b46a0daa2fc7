//! What this machine's libseccomp makes of a profile.

use std::collections::BTreeSet;

use seccomp_trace_core::Syscall;

use super::{Code, Finding};
use crate::algebra::Args;
use crate::check::UNNAMED;
use crate::semantics::multiplex::HOLDERS;
use crate::{Compiled, Filter, Profile, Resolved, Verdict};

pub(super) fn look(findings: &mut Vec<Finding>, profile: &Profile, resolved: &Resolved<'_>) {
    let Ok(whole) = Filter::new(resolved) else { return };
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
