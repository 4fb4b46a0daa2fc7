//! Who denied a call: the profile, or something else that was there.

mod allow;
mod ruling;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use allow::{Allowed, allow_denied};
pub use ruling::Ruling;
use seccomp_trace_core::{Answer, Circumstances, Denial, FirstSeen, Syscall};
use serde::{Serialize, Serializer};

use crate::{Errno, Filter, Verdict};

/// Why a call was not executed, or would not have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The profile gives it this verdict.
    Profile(Verdict),
    /// A filter that was in force when observation began. Which profile it was made from is not known.
    Filter,
    /// The profile allows it, and the program has installed filters of its own.
    Program,
    /// The tracer of the thread (ptrace) skipped it or answered it.
    Tracer,
    /// The profile allows it: another filter that was in force before, or a supervisor.
    Elsewhere,
    /// A filter of the program's own or one that was in force before: what is known does not tell.
    Unknown,
}

impl Cause {
    /// Whether this speaks against the profile, or against the filters that are looked at.
    #[must_use]
    pub const fn is_denial(self) -> bool {
        matches!(self, Self::Profile(_) | Self::Filter | Self::Unknown)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(verdict) => write!(f, "the profile ({verdict})"),
            Self::Filter => f.write_str("the filters in force"),
            Self::Program => f.write_str("a filter that the program installed itself"),
            Self::Tracer => f.write_str("the program's tracer (ptrace)"),
            Self::Elsewhere => f.write_str("another filter, or a supervisor"),
            Self::Unknown => f.write_str("the filters in force, or one that the program installed itself"),
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Profile(_) => "profile",
            Self::Filter => "filter",
            Self::Program => "program",
            Self::Tracer => "tracer",
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "unknown",
        })
    }
}

/// Calls that were not executed, or would not have been, for one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The call.
    pub call: Syscall,
    /// Why.
    pub cause: Cause,
    /// What became of it.
    pub answer: Answer,
    /// Whether a tracer was attached, which can skip calls too.
    pub traced: bool,
    /// How often.
    pub count: u64,
    /// Who made the first of them, and when.
    pub first: FirstSeen,
    /// How often with which arguments.
    pub args: BTreeMap<[u64; 6], u64>,
    /// How many had other arguments.
    pub others: u64,
}

/// What became of the denials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Judgement {
    /// By call and cause, in the order of their first appearance.
    pub found: Vec<Judged>,
    /// Executed calls of which the profile allows some and denies others, by arguments that found no room.
    pub undecided: BTreeMap<Syscall, u64>,
    /// Calls that were under way when observation began, or were denied as the first of their thread: what is known does
    /// not tell.
    pub under_way: u64,
}

impl Judgement {
    /// The calls that speak against the profile.
    pub fn denied(&self) -> impl Iterator<Item = &Judged> {
        self.found.iter().filter(|judged| judged.cause.is_denial())
    }

    fn add(&mut self, denial: &Denial, cause: Cause, args: Option<[u64; 6]>, count: u64) {
        let same = |known: &&mut Judged| {
            (known.call, known.cause, known.answer) == (denial.call, cause, denial.answer)
        };
        let traced = denial.circumstances.traced;
        let judged = match self.found.iter_mut().find(same) {
            Some(known) => known,
            None => {
                self.found.push(Judged {
                    call: denial.call,
                    cause,
                    answer: denial.answer,
                    traced,
                    count: 0,
                    first: denial.first,
                    args: BTreeMap::new(),
                    others: 0,
                });
                let last = self.found.len() - 1;
                &mut self.found[last]
            }
        };
        judged.count += count;
        judged.traced |= traced;
        judged.first = judged.first.min(denial.first);
        match args {
            Some(args) => *judged.args.entry(args).or_default() += count,
            None => judged.others += count,
        }
    }
}

/// Says for each denial who denied it. `filter` is what the target runs under, or would run under, where that is known.
///
/// Before a launched command executes its program, its `execve` alone counts: the rest is its launcher's. What cannot be
/// told is [`Cause::Unknown`], or counted in the result.
pub fn judge(filter: Option<&Filter>, denials: &[Denial]) -> Judgement {
    let mut judgement = Judgement::default();
    for denial in denials.iter().filter(|denial| !denial.circumstances.setup || is_exec(denial.call)) {
        let mut verdicts = BTreeSet::new();
        for (args, count) in &denial.args {
            let verdict = filter.map(|filter| filter.verdict(denial.call, *args));
            verdicts.insert(verdict);
            judgement.sort_in(denial, verdict, Some(*args), *count);
        }
        if denial.others == 0 {
            continue;
        }
        let constant = filter.map(|filter| filter.constant_verdict(denial.call));
        match (constant, denial.answer) {
            (None, _) => judgement.sort_in(denial, None, None, denial.others),
            (Some(Some(verdict)), _) => judgement.sort_in(denial, Some(verdict), None, denial.others),
            // By arguments that are not known.
            (Some(None), Answer::Executed) => {
                *judgement.undecided.entry(denial.call).or_default() += denial.others;
            }
            (Some(None), _) => {
                let denying = verdicts.into_iter().flatten().find(|verdict| !verdict.executes());
                match denying.filter(|_| nobody_else(denial.circumstances)) {
                    Some(verdict) => judgement.sort_in(denial, Some(verdict), None, denial.others),
                    None => judgement.add(denial, Cause::Unknown, None, denial.others),
                }
            }
        }
    }
    judgement.found.sort_by_key(|judged| (judged.first, judged.call, judged.cause));
    judgement
}

impl Judgement {
    fn sort_in(&mut self, denial: &Denial, verdict: Option<Verdict>, args: Option<[u64; 6]>, count: u64) {
        match cause(denial, verdict) {
            Some(Found::Cause(cause)) => self.add(denial, cause, args, count),
            Some(Found::UnderWay) => self.under_way += count,
            None => {}
        }
    }
}

enum Found {
    Cause(Cause),
    UnderWay,
}

/// `None`: it was executed, as it should be. `verdict`: the profile's, where that is known.
fn cause(denial: &Denial, verdict: Option<Verdict>) -> Option<Found> {
    let during = denial.circumstances;
    let cause = match (verdict, denial.answer) {
        (None, Answer::Executed) | (Some(Verdict::Allow), Answer::Executed) => return None,
        (Some(verdict), Answer::Executed) => Cause::Profile(verdict),
        // What a tracer skips has no number; what it answers itself, no filter is asked about.
        _ if during.emulated || (during.traced && denial.call.nr.0 < 0) => Cause::Tracer,
        (Some(Verdict::Notify), Answer::Result) => Cause::Elsewhere,
        (Some(Verdict::Trace(_)), _) if during.traced => Cause::Tracer,
        // The strictest answer counts, and of the same kind that of the filter that was installed last.
        (Some(verdict), answer) if during.own_filters && !verdict.executes() && !gives(verdict, answer) => {
            Cause::Program
        }
        // What the filter denies cannot have been under way.
        (Some(verdict), _) if !verdict.executes() => Cause::Profile(verdict),
        (_, Answer::Errno(_) | Answer::Result) if during.starting => return Some(Found::UnderWay),
        (Some(_), _) if during.own_filters => Cause::Program,
        (Some(_), _) if during.traced => Cause::Tracer,
        (Some(_), _) | (None, Answer::Result) => Cause::Elsewhere,
        (None, _) if during.own_filters => Cause::Unknown,
        (None, _) => Cause::Filter,
    };
    Some(Found::Cause(cause))
}

/// Whether nothing but the filter can have kept the call from being executed.
fn nobody_else(during: Circumstances) -> bool {
    !(during.own_filters || during.traced || during.starting)
}

/// Whether this is what the caller gets of a verdict. Without a supervisor or a tracer, there is no such call.
fn gives(verdict: Verdict, answer: Answer) -> bool {
    match verdict {
        Verdict::Errno(0) => answer == Answer::Result,
        Verdict::Errno(code) => answer == Answer::Errno(code),
        Verdict::Notify | Verdict::Trace(_) => answer == Answer::Errno(Errno::ENOSYS.code()),
        Verdict::Trap => answer == Answer::Signal,
        Verdict::KillThread | Verdict::KillProcess => answer == Answer::Killed,
        Verdict::Allow | Verdict::Log => answer == Answer::Executed,
    }
}

fn is_exec(call: Syscall) -> bool {
    matches!(call.name(), Some("execve" | "execveat"))
}
