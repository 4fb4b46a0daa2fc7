//! What is wrong with a profile on any machine.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};

use super::pointers::is_pointer;
use super::{Code, Finding};
use crate::{Action, ArchToken, Group, Operator, Profile, Rule};

/// The flags of the runtime-spec (config-linux.md, "Seccomp").
const FLAGS: [&str; 4] = [
    "SECCOMP_FILTER_FLAG_TSYNC",
    "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
];

pub(super) fn look(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let default = profile.default_action();
    if default.executes() {
        let message = format!("{default} lets every call through that no rule names");
        findings.push(Finding::new(Code::DefaultAllow, "defaultAction", message));
    }
    if default == Action::Notify {
        let message = "SCMP_ACT_NOTIFY as the default asks a supervisor also about write";
        findings.push(Finding::new(Code::NotifyWrite, "defaultAction", message));
    }
    if profile.default_errno().is_some() && !takes_errno(default) {
        let message = format!("{default} takes no errno");
        findings.push(Finding::new(Code::UselessErrno, "defaultErrnoRet", message));
    }
    let listed = listed(profile);
    for (index, rule) in profile.rules().iter().enumerate() {
        look_at_rule(&mut findings, &format!("syscalls[{index}]"), rule, &listed);
    }
    look_at_listener(&mut findings, profile);
    for (position, flag) in profile.flags().iter().enumerate() {
        if !FLAGS.contains(&flag.as_str()) {
            let message = format!("runtimes do not know the flag {flag:?}");
            findings.push(Finding::new(Code::Refused, format!("flags[{position}]"), message));
        }
    }
    x32(&mut findings, profile);
    findings
}

fn look_at_rule(findings: &mut Vec<Finding>, path: &str, rule: &Rule, listed: &Listed) {
    let mut add = |code, path: &str, message: String| findings.push(Finding::new(code, path, message));
    if rule.names().next().is_none() {
        add(Code::EmptyRule, path, "the rule has no names".to_owned());
    }
    if rule.errno().is_some() && !takes_errno(rule.action()) {
        add(Code::UselessErrno, path, format!("{} takes no errno", rule.action()));
    }
    let mut seen = BTreeSet::new();
    for name in rule.names() {
        if name.is_empty() {
            add(Code::Refused, path, "runc refuses an empty name".to_owned());
            continue;
        }
        if !seen.insert(name) {
            add(Code::DuplicateRule, path, format!("{name} is twice in the list"));
        }
        if !listed.has(name) {
            add(Code::UnknownName, path, format!("{name} is no call of any listed architecture"));
        }
        if name == "write" && rule.action() == Action::Notify {
            add(Code::NotifyWrite, path, "write asks a supervisor".to_owned());
        }
        for (position, arg) in rule.args().iter().enumerate() {
            if is_pointer(name, arg.index().as_usize()) {
                let message = format!("argument {} of {name} is a pointer", arg.index().as_usize());
                add(Code::PointerCondition, &format!("{path}.args[{position}]"), message);
            }
        }
    }
    let mut indices = BTreeSet::new();
    for (position, arg) in rule.args().iter().enumerate() {
        let (mask, value) = (arg.value(), arg.value_two());
        if arg.op() == Operator::MaskedEqual && (mask == 0 || value & !mask != 0) {
            let message = match mask {
                0 => format!("the mask is zero, so that the condition always holds, whatever {value:#x} is"),
                _ => format!(
                    "libseccomp compares argument {} & {mask:#x} with {:#x}, not with {value:#x}",
                    arg.index().as_usize(),
                    value & mask
                ),
            };
            add(Code::OutsideMask, &format!("{path}.args[{position}]"), message);
        }
        if !indices.insert(arg.index()) {
            let message =
                format!("another condition on argument {}: either is enough", arg.index().as_usize());
            add(Code::TwoConditions, &format!("{path}.args[{position}]"), message);
        }
    }
}

fn look_at_listener(findings: &mut Vec<Finding>, profile: &Profile) {
    let asks = profile.rules().iter().position(|rule| rule.action() == Action::Notify);
    match (asks, profile.listener_path()) {
        (Some(index), None) => findings.push(Finding::new(
            Code::ListenerMissing,
            format!("syscalls[{index}]"),
            "SCMP_ACT_NOTIFY, and there is no `listenerPath`",
        )),
        (None, Some(path)) if profile.default_action() != Action::Notify => {
            findings.push(Finding::new(Code::UnusedListener, "listenerPath", format!("no rule asks {path}")));
        }
        _ => {}
    }
}

fn x32(findings: &mut Vec<Finding>, profile: &Profile) {
    let is_x32 = |token: &ArchToken| token.as_str() == Arch::X32.scmp();
    let message = "x32 is open";
    if let Some(position) = profile.architectures().iter().position(is_x32) {
        findings.push(Finding::new(Code::X32Open, format!("architectures[{position}]"), message));
    }
    for (position, entry) in profile.arch_map().iter().enumerate() {
        if entry.sub_architectures().iter().any(is_x32) {
            let path = format!("archMap[{position}].subArchitectures");
            findings.push(Finding::new(Code::X32Open, path, message));
        }
    }
}

fn takes_errno(action: Action) -> bool {
    matches!(action, Action::Errno | Action::Trace)
}

/// The architectures that a name may be of.
struct Listed {
    arches: BTreeSet<Arch>,
    /// Whether there are some whose names this program does not have.
    others: bool,
}

fn listed(profile: &Profile) -> Listed {
    let mapped = profile.arch_map().iter();
    let mapped =
        mapped.flat_map(|entry| entry.sub_architectures().iter().copied().chain([entry.architecture()]));
    let tokens: BTreeSet<ArchToken> = mapped.chain(profile.architectures().iter().copied()).collect();
    let here = Arch::native().unwrap_or(Arch::X86_64);
    let others = tokens.iter().any(|token| token.arch(here).is_none());
    let mut arches: BTreeSet<Arch> = tokens.iter().filter_map(|token| token.arch(here)).collect();
    // The machine's own is always there.
    arches.extend(super::natives(profile));
    Listed { arches, others }
}

impl Listed {
    fn has(&self, name: &str) -> bool {
        let on = |arch: &Arch| Syscall::from_name(*arch, name).is_some();
        self.arches.iter().any(on)
            || (self.others && (Arch::ALL.iter().any(on) || Group::of(name).next().is_some()))
    }
}
