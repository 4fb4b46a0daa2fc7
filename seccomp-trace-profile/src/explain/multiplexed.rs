//! i386's `socketcall` and `ipc`, which are also the calls that they hold: a rule for `socket` is one for `socketcall(1)`.

use seccomp_trace_core::{Arch, Syscall};

use super::{ArchVerdict, BY_ARGUMENTS, Deciding, condition, deciding};
use crate::semantics::multiplex::{held, multiplexed};
use crate::semantics::table::verdicts_of_holder;
use crate::{Profile, Resolved, ResolvedRule};

/// What happens to the call where i386 makes it through another, or where it holds others, to each of those; no lines
/// where all have one verdict.
pub(super) fn verdicts(resolved: &Resolved<'_>, name: &str) -> Vec<ArchVerdict> {
    if !resolved.arches().any(|arch| arch == Arch::X86) {
        return Vec::new();
    }
    let line = |holder: Syscall, code: u64, of: &str| ArchVerdict {
        arch: holder.arch,
        nr: holder.nr.0,
        verdict: verdict(resolved, holder, Some(code)),
        through: Some(format!("{holder}({code}), {of}")),
    };
    if let Some((holder, code)) = multiplexed(Arch::X86, name) {
        return vec![line(holder, code, name)];
    }
    match Syscall::from_name(Arch::X86, name) {
        Some(holder) if verdict(resolved, holder, None) == BY_ARGUMENTS => {
            held(name).into_iter().map(|(of, code)| line(holder, code, of)).collect()
        }
        _ => Vec::new(),
    }
}

/// What happens to a holder, with a value of its first argument or whatever that is.
pub(super) fn verdict(resolved: &Resolved<'_>, holder: Syscall, code: Option<u64>) -> String {
    let verdicts = verdicts_of_holder(resolved, holder, code).unwrap_or_default();
    match verdicts.iter().collect::<Vec<_>>()[..] {
        [one] => one.to_string(),
        _ => BY_ARGUMENTS.to_owned(),
    }
}

/// The rules for the calls that a holder holds, with the conditions that they have as rules for the holder.
pub(super) fn rules(profile: &Profile, resolved: &Resolved<'_>, holder: &str) -> Vec<Deciding> {
    if !resolved.arches().any(|arch| arch == Arch::X86) {
        return Vec::new();
    }
    let calls = held(holder);
    let rule = |rule: &ResolvedRule<'_>| {
        let here = calls.iter().filter(|(name, _)| rule.names.contains(name));
        let codes: Vec<String> = here.map(|(name, code)| format!("argument 0 == {code} ({name})")).collect();
        let others: Vec<String> =
            rule.args.iter().filter(|arg| arg.index().as_usize() != 0).map(condition).collect();
        let codes = Some(codes).filter(|codes| !codes.is_empty())?.join(" or ");
        let conditions =
            if others.is_empty() { codes } else { format!("({codes}) and {}", others.join(" and ")) };
        Some(Deciding { conditions, ..deciding(profile, holder, rule) })
    };
    resolved.rules.iter().filter(|rule| rule.verdict != resolved.default).filter_map(rule).collect()
}
