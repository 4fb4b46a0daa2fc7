//! What differs between two profiles, and whether one allows all that the other does.

use std::collections::BTreeSet;
use std::fmt;

use seccomp_trace_core::{Arch, Syscall};
use serde::Serialize;

use super::AlgebraError;
use crate::{Semantics, Verdict};

/// How the second profile differs from the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ChangeKind {
    /// The second executes what the first does not, or covers an ABI that the first kills.
    Adds,
    /// The reverse.
    Drops,
    /// Both execute it, or both do not, and the second is less strict in the kernel's order.
    Loosens,
    /// The reverse.
    Tightens,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Which way.
    pub kind: ChangeKind,
    /// The ABI.
    pub arch: Arch,
    /// The call; `None`: all that no rule is about, or the ABI as a whole.
    pub syscall: Option<String>,
    /// The verdict of the first profile, `None` where it does not cover the ABI.
    pub from: Option<String>,
    /// That of the second.
    pub to: Option<String>,
    /// Arguments for which it is so.
    pub args: [u64; 6],
    /// Whether it is so for all arguments.
    pub all_args: bool,
}

/// The differences, by ABI and call; calls that differ for several ranges of arguments are there several times.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// The differences. Empty: the profiles decide alike, whatever they look like.
    pub changes: Vec<Change>,
    /// What differs besides: flags, and the supervisor.
    pub settings: Vec<Setting>,
}

impl Diff {
    /// Whether the profiles do the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.settings.is_empty()
    }
}

/// A difference that is not about calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key in a profile: `flags` or `listenerPath` (which stands for the metadata as well).
    pub key: &'static str,
    /// The value in the first profile, `None` where it has none.
    pub from: Option<String>,
    /// That in the second.
    pub to: Option<String>,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        write!(f, "sets     {}: {} -> {}", self.key, value(&self.from), value(&self.to))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ChangeKind::Adds => "adds",
            ChangeKind::Drops => "drops",
            ChangeKind::Loosens => "loosens",
            ChangeKind::Tightens => "tightens",
        };
        let uncovered = "not covered".to_owned();
        let (from, to) = (self.from.as_ref().unwrap_or(&uncovered), self.to.as_ref().unwrap_or(&uncovered));
        let call = match &self.syscall {
            Some(name) => name,
            None if self.from.is_none() || self.to.is_none() => "the architecture",
            None => "calls without a rule",
        };
        write!(f, "{kind:<8} {:<7} {call}: {from} -> {to}", self.arch)?;
        if self.all_args { Ok(()) } else { write!(f, ", for example with {}", Args(&self.args)) }
    }
}

/// A call that the first profile allows and the second does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counterexample {
    /// The call.
    pub call: Syscall,
    /// Its arguments.
    pub args: [u64; 6],
    /// What the second does, `None` where it does not cover the ABI.
    pub verdict: Option<Verdict>,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, with {}: ", self.call, self.call.arch, Args(&self.args))?;
        match self.verdict {
            Some(verdict) => write!(f, "{verdict}"),
            None => f.write_str("the architecture is not covered"),
        }
    }
}

/// Arguments in words: those that are not zero.
pub(crate) struct Args<'a>(pub(crate) &'a [u64; 6]);

impl fmt::Display for Args<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut any = false;
        for (index, value) in self.0.iter().enumerate().filter(|(_, value)| **value != 0) {
            write!(f, "{}argument {index} {value:#x}", if any { ", " } else { "" })?;
            any = true;
        }
        if any { Ok(()) } else { f.write_str("arguments of zero") }
    }
}

/// A point where two profiles decide differently.
struct Difference {
    call: Option<Syscall>,
    args: [u64; 6],
    all_args: bool,
    from: Verdict,
    to: Verdict,
}

/// What `b` does differently from `a`.
///
/// # Errors
/// [`AlgebraError::TooComplex`].
pub fn diff(a: &Semantics, b: &Semantics) -> Result<Diff, AlgebraError> {
    let mut changes = Vec::new();
    let covered: BTreeSet<Arch> = a.arches().chain(b.arches()).collect();
    for arch in covered {
        let side = |side: &Semantics| side.arches.get(&arch).map(|table| table.default.to_string());
        let (from, to) = (side(a), side(b));
        if from.is_none() || to.is_none() {
            let kind = if from.is_none() { ChangeKind::Adds } else { ChangeKind::Drops };
            changes.push(Change { kind, arch, syscall: None, from, to, args: [0; 6], all_args: true });
            continue;
        }
        let found = differences(a, b, arch)?.into_iter().map(|difference| Change {
            kind: kind(difference.from, difference.to),
            arch,
            syscall: difference.call.map(|call| call.to_string()),
            from: Some(difference.from.to_string()),
            to: Some(difference.to.to_string()),
            args: difference.args,
            all_args: difference.all_args,
        });
        changes.extend(found);
    }
    let setting = |key, from, to| (from != to).then_some(Setting { key, from, to });
    let flags = [a, b].map(|side| {
        let flags = side.installation.flags.as_ref()?;
        Some(flags.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    });
    let listener = [a, b].map(|side| {
        let (path, metadata) = side.installation.listeners.first()?;
        let parts = [path.as_deref(), metadata.as_deref()];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    });
    let ([from, to], [path, other]) = (flags, listener);
    let settings = [setting("flags", from, to), setting("listenerPath", path, other)];
    Ok(Diff { changes, settings: settings.into_iter().flatten().collect() })
}

/// Whether `b` executes every call that `a` executes (`ALLOW` and `LOG`). The inner error has for each call that it
/// does not a list of counterexamples, one for each way in which it does not.
///
/// # Errors
/// [`AlgebraError::TooComplex`].
pub fn subset(a: &Semantics, b: &Semantics) -> Result<Result<(), Vec<Counterexample>>, AlgebraError> {
    let mut found = Vec::new();
    for (arch, table) in &a.arches {
        // A number that neither has a rule for stands for all of those.
        let other = Syscall::new(*arch, 0x3fff_ffff);
        if b.arches.contains_key(arch) {
            let denied = |difference: &Difference| difference.from.executes() && !difference.to.executes();
            found.extend(differences(a, b, *arch)?.into_iter().filter(denied).map(|difference| {
                Counterexample {
                    call: difference.call.unwrap_or(other),
                    args: difference.args,
                    verdict: Some(difference.to),
                }
            }));
            continue;
        }
        let uncovered = |call, args| Counterexample { call, args, verdict: None };
        if table.default.executes() {
            found.push(uncovered(other, [0; 6]));
        }
        for (call, decision) in &table.calls {
            let allowed = decision.values().into_iter().filter(|(verdict, _)| verdict.executes());
            found.extend(allowed.map(|(_, args)| uncovered(*call, args)));
        }
    }
    Ok(if found.is_empty() { Ok(()) } else { Err(found) })
}

fn kind(from: Verdict, to: Verdict) -> ChangeKind {
    match (from.executes(), to.executes()) {
        (false, true) => ChangeKind::Adds,
        (true, false) => ChangeKind::Drops,
        _ if from < to => ChangeKind::Loosens,
        _ => ChangeKind::Tightens,
    }
}

/// Where the two differ in an ABI that both cover, once for each pair of verdicts of a call.
fn differences(a: &Semantics, b: &Semantics, arch: Arch) -> Result<Vec<Difference>, AlgebraError> {
    let (Some(one), Some(two)) = (a.arches.get(&arch), b.arches.get(&arch)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    if one.default != two.default {
        let (from, to) = (one.default, two.default);
        found.push(Difference { call: None, args: [0; 6], all_args: true, from, to });
    }
    let calls: BTreeSet<Syscall> = one.calls.keys().chain(two.calls.keys()).copied().collect();
    for call in calls {
        let pairs = one.decision(call).combine(&two.decision(call), |from, to| (from, to));
        let ways = pairs.map_err(|_| AlgebraError::TooComplex { call })?.values();
        let all_args = ways.len() == 1;
        let differ = ways.into_iter().filter(|((from, to), _)| from != to);
        found.extend(differ.map(|((from, to), args)| Difference {
            call: Some(call),
            args,
            all_args,
            from,
            to,
        }));
    }
    Ok(found)
}
