//! What is wrong with a profile as a runtime on one kind of machine gets it.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::{Code, Finding};
use crate::semantics::multiplex::multiplexed;
use crate::semantics::table::verdicts_of_holder;
use crate::{ALWAYS, Baseline, Danger, Decision, Profile, Resolved, ResolvedRule, Verdict};

/// EPERM, on which no C library falls back.
const EPERM: Verdict = Verdict::Errno(1);

/// Calls for which C libraries have an older one to fall back to, on ENOSYS alone (glibc
/// `sysdeps/unix/sysv/linux`: `clone-internal.c`, `faccessat.c`, `fchmodat.c`, `preadv2.c`, `pwritev2.c`,
/// `closefrom.c`; musl `src/stat/fstatat.c`, `src/time/clock_gettime.c`).
const FALLBACK: [&str; 10] = [
    "clock_gettime64",
    "clone3",
    "close_range",
    "faccessat2",
    "fchmodat2",
    "futex_time64",
    "ppoll_time64",
    "preadv2",
    "pwritev2",
    "statx",
];

pub(super) fn look(profile: &Profile, resolved: &Resolved<'_>, baseline: Baseline) -> Vec<Finding> {
    let mut findings = Vec::new();
    rules_of_one_call(&mut findings, resolved);
    super::inequalities::look(&mut findings, resolved);
    #[cfg(feature = "libseccomp")]
    super::compiled::look(&mut findings, profile, resolved);
    fallbacks(&mut findings, resolved);
    x86(&mut findings, resolved);
    dangers(&mut findings, resolved);
    if allows(resolved) {
        needed(&mut findings, resolved, baseline);
    } else {
        let path = if profile.rules().is_empty() { "defaultAction" } else { "syscalls" };
        let message = format!("no call is allowed on {}", resolved.native);
        findings.push(Finding::new(Code::NoSyscallAllowed, path, message));
    }
    findings
}

/// Whether any call of the covered ABIs may be executed. Of an architecture that there is no table of, any name may be one.
fn allows(resolved: &Resolved<'_>) -> bool {
    let unmodelled = resolved.architectures.iter().any(|token| token.arch(resolved.native).is_none());
    let exists =
        |name: &str| unmodelled || resolved.arches().any(|arch| Syscall::from_name(arch, name).is_some());
    let mut names = resolved.rules.iter().flat_map(|rule| rule.names.iter());
    resolved.default.executes()
        || names.any(|name| exists(name) && Decision::of(resolved, name).may_execute(resolved.default))
}

pub(super) fn at(index: usize) -> String {
    format!("syscalls[{index}]")
}

fn rules_of_one_call(findings: &mut Vec<Finding>, resolved: &Resolved<'_>) {
    let mut by_name: BTreeMap<&str, Vec<&ResolvedRule<'_>>> = BTreeMap::new();
    // Runtimes skip what does the same as the default.
    for rule in resolved.rules.iter().filter(|rule| rule.verdict != resolved.default) {
        for name in rule.names.iter().collect::<BTreeSet<_>>() {
            by_name.entry(name).or_default().push(rule);
        }
    }
    for (name, rules) in by_name {
        let whole = rules.iter().find(|rule| rule.is_unconditional());
        for (position, rule) in rules.iter().enumerate() {
            let earlier = rules[..position].iter().find(|earlier| earlier.args == rule.args);
            let beaten_by = whole.filter(|whole| whole.index != rule.index).or(earlier);
            let Some(other) = beaten_by else { continue };
            let (place, verdict) = (at(other.index), other.verdict);
            let (code, message) = if verdict == rule.verdict {
                (Code::DuplicateRule, format!("{place} says {verdict} of {name} already"))
            } else if other.is_unconditional() {
                (Code::ShadowedRule, format!("{place} decides {name}: {verdict}"))
            } else if resolved.arches().any(|arch| Syscall::from_name(arch, name).is_some()) {
                let message =
                    format!("{place} has the same conditions for {name} and another action: {verdict}");
                (Code::Refused, message)
            } else {
                continue;
            };
            findings.push(Finding::new(code, at(rule.index), message));
        }
    }
}

fn fallbacks(findings: &mut Vec<Finding>, resolved: &Resolved<'_>) {
    let mut by_path: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in FALLBACK {
        if !resolved.arches().any(|arch| Syscall::from_name(arch, name).is_some()) {
            continue;
        }
        match Decision::of(resolved, name) {
            Decision::Default if resolved.default == EPERM => {
                by_path.entry("defaultErrnoRet".to_owned()).or_default().push(name);
            }
            Decision::Fixed(rule) if rule.verdict == EPERM => {
                by_path.entry(at(rule.index)).or_default().push(name);
            }
            _ => {}
        }
    }
    for (path, names) in by_path {
        let message = format!("EPERM instead of ENOSYS: {}", names.join(" "));
        findings.push(Finding::new(Code::NoFallback, path, message));
    }
}

fn x86(findings: &mut Vec<Finding>, resolved: &Resolved<'_>) {
    if resolved.native != Arch::X86_64 {
        return;
    }
    let arches: Vec<Arch> = resolved.arches().collect();
    let covers = arches.contains(&Arch::X86);
    // Where all that remains of it is denied, there is nothing that the condition had to hold for.
    let is_open = covers
        && multiplexed(Arch::X86, "socket").is_none_or(|(holder, code)| {
            let verdicts = verdicts_of_holder(resolved, holder, Some(code));
            verdicts.is_none_or(|verdicts| verdicts.iter().any(|verdict| verdict.executes()))
        });
    for rule in &resolved.rules {
        if is_open && !rule.args.is_empty() && rule.names.contains(&"socket") {
            let message = "the condition does not hold for 32-bit x86 code (socketcall)";
            findings.push(Finding::new(Code::SocketOfX86, at(rule.index), message));
        }
        let on = |name: &str, arch: Arch| Syscall::from_name(arch, name).is_some();
        // What 64-bit or 32-bit ARM has as well may be there for ARM.
        let only_x86 = |name: &&str| {
            on(name, Arch::X86) && Arch::ALL.iter().all(|arch| *arch == Arch::X86 || !on(name, *arch))
        };
        let names: Vec<&str> = rule.names.iter().copied().filter(only_x86).collect();
        if !covers && rule.verdict.executes() && !names.is_empty() {
            let message = format!("only 32-bit x86 has {}", names.join(" "));
            findings.push(Finding::new(Code::X86Missing, at(rule.index), message));
        }
    }
}

fn dangers(findings: &mut Vec<Finding>, resolved: &Resolved<'_>) {
    for rule in resolved.rules.iter().filter(|rule| rule.verdict.executes()) {
        let wide = |name: &&str| {
            let covered = resolved.arches().any(|arch| Syscall::from_name(arch, name).is_some());
            covered && rule.is_unconditional() && Danger::of(name).is_some()
        };
        let names: Vec<&str> = rule.names.iter().copied().filter(wide).collect();
        if !names.is_empty() {
            findings.push(Finding::new(
                Code::WidePrivilege,
                at(rule.index),
                format!("allows {}", names.join(" ")),
            ));
        }
    }
}

/// What a program needs that nobody has seen it call, and what the runtime needs.
fn needed(findings: &mut Vec<Finding>, resolved: &Resolved<'_>, baseline: Baseline) {
    let arches: Vec<Arch> = resolved.arches().collect();
    let denied = |name: &str| !Decision::of(resolved, name).may_execute(resolved.default);
    let always: Vec<&str> = ALWAYS
        .iter()
        .filter(|always| always.arches.iter().any(|arch| arches.contains(arch)))
        .filter(|always| arches.iter().any(|arch| Syscall::from_name(*arch, always.name).is_some()))
        .map(|always| always.name)
        .filter(|name| denied(name))
        .collect();
    if !always.is_empty() {
        let message = format!("every program may need, on {}: {}", resolved.native, always.join(" "));
        findings.push(Finding::new(Code::AlwaysMissing, "syscalls", message));
    }
    for runtime in baseline.runtimes() {
        let on = |name: &&str| Syscall::from_name(resolved.native, name).is_some() && denied(name);
        let names: Vec<&str> = runtime.entries.iter().map(|entry| entry.name).filter(on).collect();
        if !names.is_empty() {
            let message = format!(
                "{} cannot start a container on {}: {}",
                runtime.runtime,
                resolved.native,
                names.join(" ")
            );
            findings.push(Finding::new(Code::BaselineMissing, "syscalls", message));
        }
    }
}
