//! What libseccomp is asked for: the rules as crun and runc add them.
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

use std::collections::{BTreeMap, BTreeSet};

use libseccomp::{ScmpAction, ScmpArch, ScmpArgCompare, ScmpCompareOp, ScmpFilterContext, ScmpSyscall};
use seccomp_trace_core::Arch;

use super::carry::{Carried, export};
use super::limit::within;
use crate::{Arg, Operator, ProfileError, Resolved, Verdict};

/// A filter for some ABIs, with all that is needed to make it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    default: Verdict,
    arches: Vec<ScmpArch>,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    index: usize,
    names: Vec<String>,
    verdict: Verdict,
    args: Vec<Arg>,
}

impl Wanted {
    /// What a runtime asks for on behalf of a profile.
    pub(super) fn new(resolved: &Resolved<'_>, arches: Vec<ScmpArch>) -> Self {
        let rules = resolved.rules.iter().filter(|rule| rule.verdict != resolved.default);
        let rules = rules.map(|rule| Rule {
            index: rule.index,
            names: rule.names.iter().map(|name| (*name).to_owned()).collect(),
            verdict: rule.verdict,
            args: rule.args.to_vec(),
        });
        Self { default: resolved.default, arches, rules: rules.collect() }
    }

    /// The filter, and the names that were skipped.
    pub(super) fn compile(self, form: Carried) -> Result<(Vec<u8>, BTreeSet<String>), ProfileError> {
        let make = move |wanted: &Self| {
            let (context, skipped) = wanted.context()?;
            Ok((export(&context, form)?, skipped))
        };
        match self.doubtful() {
            None => make(&self),
            Some(name) => within(name, move || make(&self)),
        }
    }

    /// A context that is ready to be loaded.
    pub(super) fn loadable(self) -> Result<ScmpFilterContext, ProfileError> {
        if self.doubtful().is_some() {
            self.clone().compile(Carried::Instructions)?;
        }
        self.context().map(|(context, _)| context)
    }

    /// A call whose rules libseccomp may work on for ever. It joins rules for one call by trying every way through
    /// their conditions: some dozens that look at different arguments take it hours, and it does not end with some
    /// pairs that have an inequality (2.5.4).
    fn doubtful(&self) -> Option<String> {
        const MANY: usize = 8;
        let mut by_name: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
        for rule in self.rules.iter().filter(|rule| !rule.args.is_empty()) {
            for name in &rule.names {
                by_name.entry(name).or_default().push(rule);
            }
        }
        let plain = |arg: &Arg| matches!(arg.op(), Operator::Equal | Operator::MaskedEqual);
        by_name.into_iter().find_map(|(name, rules)| {
            let conditions = || rules.iter().flat_map(|rule| &rule.args);
            let one_argument = conditions().map(Arg::index).collect::<BTreeSet<_>>().len() == 1;
            let count = conditions().count();
            let bearable = count < 2 || (conditions().all(plain) && (one_argument || count < MANY));
            (!bearable).then(|| name.to_owned())
        })
    }

    /// A context for exactly the wanted ABIs, with the rules in it, and the names that were skipped.
    fn context(&self) -> Result<(ScmpFilterContext, BTreeSet<String>), ProfileError> {
        let failed = |doing| move |source| ProfileError::Libseccomp { doing, source };
        let mut context =
            ScmpFilterContext::new(scmp_action(self.default)).map_err(failed("create a filter"))?;
        for arch in &self.arches {
            context.add_arch(*arch).map_err(failed("add an architecture"))?;
        }
        // A new context holds the native one.
        if !self.arches.contains(&ScmpArch::native()) {
            context.remove_arch(ScmpArch::Native).map_err(failed("remove the native architecture"))?;
        }
        let mut skipped = BTreeSet::new();
        for rule in &self.rules {
            for name in &rule.names {
                match ScmpSyscall::from_name(name) {
                    Ok(number) => add(&mut context, rule, number).map_err(|source| ProfileError::Rule {
                        index: rule.index,
                        name: name.clone(),
                        source,
                    })?,
                    Err(_) => {
                        skipped.insert(name.clone());
                    }
                }
            }
        }
        Ok((context, skipped))
    }
}

fn add(
    context: &mut ScmpFilterContext,
    rule: &Rule,
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
