//! What `verify` and `attach --denied` say about denials.

use seccomp_trace_core::{Answer, Arch, Denials, FirstSeen};
use seccomp_trace_profile::{Cause, Errno, Judged, Judgement, Resolved, Ruling};
use serde::Serialize;

use crate::say::say;

/// Arguments that are shown of one call.
const SHOWN: usize = 4;

/// Denials, ready to be shown.
#[derive(Serialize)]
pub(crate) struct Report {
    log_only: bool,
    /// What speaks against the profile.
    denied: Vec<Entry>,
    /// What was not executed for another reason.
    not_executed: Vec<Entry>,
    /// Executed calls of which the profile denies some, by arguments that found no room.
    undecided: Vec<Undecided>,
    /// Calls that were under way when observation began, or denied as the first of their thread.
    under_way: u64,
    /// Calls that were not executed and found no room.
    overflow: u64,
    /// Threads that could not be followed, and runs of a program that the kernel skipped.
    unreliable: u64,
}

#[derive(Serialize)]
struct Entry {
    syscall: String,
    arch: Arch,
    nr: i32,
    cause: Cause,
    /// What the profile does with it, where that is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<String>,
    /// What in the profile decides that.
    #[serde(skip_serializing_if = "Option::is_none")]
    ruling: Option<Ruling>,
    /// What became of it.
    answer: String,
    /// A tracer was attached, which can skip calls too.
    traced: bool,
    count: u64,
    first: FirstSeen,
    arguments: Vec<Arguments>,
    /// Calls with other arguments than those.
    other_arguments: u64,
}

#[derive(Serialize)]
struct Arguments {
    values: [String; 6],
    count: u64,
}

#[derive(Serialize)]
struct Undecided {
    syscall: String,
    arch: Arch,
    count: u64,
}

impl Report {
    pub(crate) fn new(
        judgement: &Judgement,
        denials: &Denials,
        resolved: Option<&Resolved<'_>>,
        log_only: bool,
    ) -> Self {
        let (denied, others) =
            judgement.found.iter().partition::<Vec<_>, _>(|judged| judged.cause.is_denial());
        let entries =
            |judged: Vec<&Judged>| judged.into_iter().map(|judged| entry(judged, resolved)).collect();
        let undecided = judgement.undecided.iter();
        Self {
            log_only,
            denied: entries(denied),
            not_executed: entries(others),
            undecided: undecided
                .map(|(call, count)| Undecided { syscall: call.to_string(), arch: call.arch, count: *count })
                .collect(),
            under_way: judgement.under_way,
            overflow: denials.overflow,
            unreliable: denials.unreliable,
        }
    }

    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// On standard error, beside what the command prints there.
    pub(crate) fn say(&self) {
        let (denied, nothing) = match self.log_only {
            true => ("would be denied", "nothing would be denied"),
            false => ("denied", "nothing was denied"),
        };
        for entry in &self.denied {
            entry.say(denied);
        }
        for entry in &self.not_executed {
            entry.say("not executed");
        }
        for Undecided { syscall, arch, count } in &self.undecided {
            say!(
                "warning: {count} calls of {syscall} ({arch}) were not judged: they had too many different arguments, \
                 and the profile allows only some"
            );
        }
        self.say_losses();
        if self.denied.is_empty() {
            say!("{nothing}");
        }
    }

    /// What may be missing, or be wrong.
    fn say_losses(&self) {
        if self.under_way > 0 {
            say!(
                "{} calls failed that may have been under way when observation began: not judged",
                self.under_way
            );
        }
        if self.overflow > 0 {
            say!("warning: {} denied calls found no room and are missing here", self.overflow);
        }
        if self.unreliable > 0 {
            say!(
                "warning: possibly wrong: {} threads could not be followed or runs of a tracing program were skipped",
                self.unreliable
            );
        }
    }
}

impl Entry {
    fn say(&self, what: &str) {
        let what = if self.answer == EXECUTED && what == "denied" { "logged" } else { what };
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) };
        let by = match (&self.verdict, &self.ruling) {
            (Some(verdict), Some(ruling)) => format!("{verdict}: {ruling}"),
            _ => format!("by {}", self.cause),
        };
        let FirstSeen { pid, comm, .. } = self.first;
        say!("{what}: {} ({}), {times}, first by {comm} (pid {pid}); {by}", self.syscall, self.arch);
        for Arguments { values, count } in self.arguments.iter().take(SHOWN) {
            say!("    {}({}) x{count}", self.syscall, values.join(", "));
        }
        let hidden: u64 = self.arguments.iter().skip(SHOWN).map(|arguments| arguments.count).sum();
        if hidden + self.other_arguments > 0 {
            say!("    … and {} calls with other arguments", hidden + self.other_arguments);
        }
        if self.traced && matches!(self.cause, Cause::Profile(_) | Cause::Filter) {
            say!("    (a tracer was attached, which may have skipped it)");
        }
    }
}

/// What is said of a call that ran.
const EXECUTED: &str = "executed";

fn entry(judged: &Judged, resolved: Option<&Resolved<'_>>) -> Entry {
    let verdict = match judged.cause {
        Cause::Profile(verdict) => Some(verdict),
        _ => None,
    };
    let ruling = verdict.zip(resolved).map(|(verdict, resolved)| Ruling::of(resolved, judged.call, verdict));
    Entry {
        syscall: judged.call.to_string(),
        arch: judged.call.arch,
        nr: judged.call.nr.0,
        cause: judged.cause,
        verdict: verdict.map(|verdict| verdict.to_string()),
        ruling,
        answer: answer(judged.answer),
        traced: judged.traced,
        count: judged.count,
        first: judged.first,
        arguments: judged
            .args
            .iter()
            .map(|(args, count)| Arguments { values: args.map(|arg| format!("{arg:#x}")), count: *count })
            .collect(),
        other_arguments: judged.others,
    }
}

fn answer(answer: Answer) -> String {
    match answer {
        Answer::Errno(code) => code
            .to_string()
            .parse::<Errno>()
            .map_or_else(|_| format!("errno {code}"), |errno| errno.to_string()),
        Answer::Result => "a result".to_owned(),
        Answer::Signal => "SIGSYS".to_owned(),
        Answer::Killed => "killed".to_owned(),
        _ => EXECUTED.to_owned(),
    }
}
