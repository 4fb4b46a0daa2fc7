//! A profile becomes a filter as crun and runc make it.
//!
//! Sources: crun `src/libcrun/seccomp.c` (`libcrun_generate_seccomp`), runc
//! `libcontainer/seccomp/seccomp_linux.go` (`InitSeccomp`, `matchCall`). What both do:
//! - names are resolved for the machine's native ABI and translated for the others by libseccomp; a name that
//!   libseccomp does not know is skipped;
//! - a rule whose action is the default action is skipped;
//! - rules are added in order and not "exactly", so each ABI gets what it has. Of two rules without conditions
//!   and with different actions the first counts; the same condition with two actions is an error;
//! - the conditions of one rule must hold together, unless two of them are about the same argument: then each becomes a
//!   rule of its own.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};

use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use nix::sys::memfd::{MFdFlags, memfd_create};
use seccomp_trace_core::{Arch, Syscall};

use crate::bpf::{Program, SeccompData};
use crate::{Arg, Operator, ProfileError, Resolved, ResolvedRule, Verdict};

/// A profile's filter for one ABI, ready to be asked.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::{Compiled, Environment, Profile, Resolved, Verdict};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW",
///         "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#,
/// )?;
/// let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64)?;
/// let filter = Compiled::new(&resolved, Arch::X86_64)?;
/// let socket = Syscall::from_name(Arch::X86_64, "socket").unwrap();
/// assert_eq!(filter.verdict(socket, [1, 0, 0, 0, 0, 0]), Verdict::Allow);
/// assert_eq!(filter.verdict(socket, [2, 0, 0, 0, 0, 0]), Verdict::Errno(1));
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    arch: Arch,
    program: Program,
    skipped: BTreeSet<String>,
}

impl Compiled {
    /// Compiles the rules for one ABI alone: in a filter for several, a mistake of one can hide behind another.
    ///
    /// # Errors
    /// [`ProfileError::Rule`] where a runtime would refuse the profile, [`ProfileError::Libseccomp`] and
    /// [`ProfileError::Export`] where libseccomp or the carrying over of its result failed,
    /// [`ProfileError::Filter`] where the result is no filter.
    pub fn new(resolved: &Resolved<'_>, arch: Arch) -> Result<Self, ProfileError> {
        let (context, skipped) = context(resolved, &[scmp_arch(arch)])?;
        let bytes = export(&context)?;
        let program = Program::decode(&bytes).map_err(|source| ProfileError::Filter { arch, source })?;
        Ok(Self { arch, program, skipped })
    }

    /// The ABI that the filter is for.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// The filter.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The names that this machine's libseccomp does not know, so that the rules do not count for them.
    #[must_use]
    pub fn skipped(&self) -> &BTreeSet<String> {
        &self.skipped
    }

    /// What the filter does with a call. A call of another ABI gets what libseccomp does with unlisted ones: it
    /// kills.
    #[must_use]
    pub fn verdict(&self, call: Syscall, args: [u64; 6]) -> Verdict {
        let data =
            SeccompData { nr: call.seccomp_nr(), arch: call.arch.audit(), instruction_pointer: 0, args };
        self.program.run(&data)
    }
}

/// A context for exactly `arches`, with the rules in it, and the names that were skipped.
pub(super) fn context(
    resolved: &Resolved<'_>,
    arches: &[ScmpArch],
) -> Result<(ScmpFilterContext, BTreeSet<String>), ProfileError> {
    let failed = |doing| move |source| ProfileError::Libseccomp { doing, source };
    let mut context =
        ScmpFilterContext::new(scmp_action(resolved.default)).map_err(failed("create a filter"))?;
    for arch in arches {
        context.add_arch(*arch).map_err(failed("add an architecture"))?;
    }
    // A new context holds the native one.
    if !arches.contains(&ScmpArch::native()) {
        context.remove_arch(ScmpArch::Native).map_err(failed("remove the native architecture"))?;
    }
    let mut skipped = BTreeSet::new();
    for rule in resolved.rules.iter().filter(|rule| rule.verdict != resolved.default) {
        for name in &rule.names {
            match ScmpSyscall::from_name(name) {
                Ok(number) => add(&mut context, rule, number).map_err(|source| ProfileError::Rule {
                    index: rule.index,
                    name: (*name).to_owned(),
                    source,
                })?,
                Err(_) => {
                    skipped.insert((*name).to_owned());
                }
            }
        }
    }
    Ok((context, skipped))
}

fn add(
    context: &mut ScmpFilterContext,
    rule: &ResolvedRule<'_>,
    number: ScmpSyscall,
) -> Result<(), libseccomp::error::SeccompError> {
    let action = scmp_action(rule.verdict);
    let conditions: Vec<ScmpArgCompare> = rule.args.iter().map(condition).collect();
    let arguments: BTreeSet<_> = rule.args.iter().map(Arg::index).collect();
    if arguments.len() == conditions.len() {
        context.add_rule_conditional(action, number, &conditions)?;
    } else {
        for condition in conditions {
            context.add_rule_conditional(action, number, &[condition])?;
        }
    }
    Ok(())
}

fn condition(arg: &Arg) -> ScmpArgCompare {
    let (op, datum) = match arg.op() {
        Operator::NotEqual => (ScmpCompareOp::NotEqual, arg.value()),
        Operator::Less => (ScmpCompareOp::Less, arg.value()),
        Operator::LessOrEqual => (ScmpCompareOp::LessOrEqual, arg.value()),
        Operator::Equal => (ScmpCompareOp::Equal, arg.value()),
        Operator::GreaterOrEqual => (ScmpCompareOp::GreaterEqual, arg.value()),
        Operator::Greater => (ScmpCompareOp::Greater, arg.value()),
        Operator::MaskedEqual => (ScmpCompareOp::MaskedEqual(arg.value()), arg.value_two()),
    };
    ScmpArgCompare::new(u8::from(arg.index()).into(), op, datum)
}

fn scmp_action(verdict: Verdict) -> ScmpAction {
    match verdict {
        Verdict::KillProcess => ScmpAction::KillProcess,
        Verdict::KillThread => ScmpAction::KillThread,
        Verdict::Trap => ScmpAction::Trap,
        Verdict::Errno(code) => ScmpAction::Errno(code.into()),
        Verdict::Notify => ScmpAction::Notify,
        Verdict::Trace(message) => ScmpAction::Trace(message),
        Verdict::Log => ScmpAction::Log,
        Verdict::Allow => ScmpAction::Allow,
    }
}

pub(super) fn scmp_arch(arch: Arch) -> ScmpArch {
    arch.scmp().parse().expect("libseccomp's names are where the tokens come from")
}

/// The program's bytes. libseccomp before 2.6 writes them to a file descriptor only.
pub(super) fn export(context: &ScmpFilterContext) -> Result<Vec<u8>, ProfileError> {
    through_memory(|file| context.export_bpf(file))
}

/// The program in libseccomp's readable form.
pub(super) fn export_text(context: &ScmpFilterContext) -> Result<Vec<u8>, ProfileError> {
    through_memory(|file| context.export_pfc(file))
}

fn through_memory(
    write: impl FnOnce(&File) -> Result<(), libseccomp::error::SeccompError>,
) -> Result<Vec<u8>, ProfileError> {
    let failed = |source| ProfileError::Export { source };
    let memory =
        memfd_create("seccomp-filter", MFdFlags::MFD_CLOEXEC).map_err(|errno| failed(errno.into()))?;
    let mut file = File::from(memory);
    write(&file).map_err(|source| ProfileError::Libseccomp { doing: "compile the filter", source })?;
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}
