//! Events to lines: whose they are, when, and in which state a call was left before.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Call, Event, Exited, Flow, Outcome, Signal, Sink, Tgid, Tid, Timestamp};

use super::clock::Clock;
use super::destination::Destination;
use super::expression::{Filter, Status};
use super::line::{self, From};
use super::paths::Paths;
use super::record;
use super::style::{Piece, Style};
use crate::decode::value::Value;
use crate::decode::{self, Decoded, Decoder, Ended};
use crate::say::{self, say};

/// What is printed of what is seen.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) filter: Filter,
    pub(crate) paths: Paths,
    /// Whether descriptors are shown with what they refer to; they may be known for the sake of [`paths`](Self::paths).
    pub(crate) descriptors: bool,
    pub(crate) json: bool,
}

/// A sink that prints.
pub(crate) struct Printer {
    choice: Choice,
    decoder: Decoder,
    style: Style,
    clock: Clock,
    destination: Destination,
    /// Threads that live.
    threads: BTreeSet<Tid>,
    /// Threads of whose call a line says that it is unfinished.
    unfinished: BTreeSet<Tid>,
    /// The name of the call that a signal interrupted and that goes on as `restart_syscall`.
    interrupted: BTreeMap<Tid, &'static str>,
    lost: u64,
}

impl Printer {
    pub(crate) fn new(choice: Choice, style: Style, clock: Clock, destination: Destination) -> Self {
        let decoder = Decoder {
            verbose: choice.filter.verbose,
            descriptors: choice.descriptors || !choice.paths.is_empty(),
            string_limit: style.string_limit,
        };
        let (threads, unfinished) = (BTreeSet::new(), BTreeSet::new());
        Self {
            choice,
            decoder,
            style,
            clock,
            destination,
            threads,
            unfinished,
            interrupted: BTreeMap::new(),
            lost: 0,
        }
    }

    /// Tells who is there from the beginning: whoever else is seen has come later, also before these.
    pub(crate) fn expect(&mut self, processes: impl IntoIterator<Item = Tgid>) {
        self.threads.extend(processes.into_iter().map(|Tgid(pid)| Tid(pid)));
    }

    /// Hands on what was printed.
    pub(crate) fn flush(&mut self) {
        self.destination.flush();
    }

    /// Lines that are about no call; of files of their own for each thread none has room for them.
    pub(crate) fn put_text(&mut self, text: &str) {
        if self.destination.is_per_thread() {
            return say::raw(text);
        }
        for line in text.lines() {
            self.destination.write(Tid(0), line);
        }
    }

    /// How many events are missing, and whether writing failed.
    pub(crate) fn finish(self) -> (u64, anyhow::Result<()>) {
        (self.lost, self.destination.finish())
    }

    /// A thread that was not there before.
    fn meet(&mut self, pid: Tgid, tid: Tid) {
        if self.threads.insert(tid) && self.threads.len() > 1 && self.announces() {
            self.destination.flush();
            let what = if pid.0 == tid.0 { "Process" } else { "Thread" };
            say!("{what} {tid} attached");
        }
    }

    /// As with strace, who comes is not told where the lines go to a file.
    fn announces(&self) -> bool {
        self.destination.is_standard_error() && !self.choice.filter.quiet_attach && !self.choice.json
    }

    /// What stands before a line.
    fn prefix(&mut self, tid: Tid, time: Timestamp) -> String {
        let mut prefix = if self.destination.is_file() {
            format!("{tid:<5} ")
        } else if self.threads.len() > 1 && self.destination.is_standard_error() {
            format!("[pid {tid:>5}] ")
        } else {
            String::new()
        };
        prefix.push_str(&self.clock.prefix(time));
        prefix
    }

    fn put(&mut self, tid: Tid, line: &str) -> Flow {
        if self.destination.write(tid, line) { Flow::Continue } else { Flow::Stop }
    }

    fn call(&mut self, call: &Call) -> Flow {
        self.meet(call.pid, call.tid);
        let interrupted = self.note_restart(call);
        if !self.wants(call) {
            return Flow::Continue;
        }
        let mut decoded = self.decoder.decode(call);
        if !self.choice.paths.admit(&decoded) {
            return Flow::Continue;
        }
        if !self.choice.descriptors {
            forget_targets(&mut decoded);
        }
        if self.choice.json {
            return self.put(call.tid, &record::call(call, &decoded));
        }
        let pending = decoded.ended == Ended::Pending;
        // In a file of its own nothing comes between the parts of a line.
        if pending && (self.destination.is_per_thread() || !self.unfinished.insert(call.tid)) {
            return Flow::Continue;
        }
        let from = match interrupted {
            _ if !pending && self.unfinished.remove(&call.tid) => From::Resumed,
            Some(name) => From::Interrupted(name),
            None => From::Entry,
        };
        let returned = match call.outcome {
            Outcome::Returned { duration, .. } if from == From::Resumed => duration,
            _ => std::time::Duration::ZERO,
        };
        let prefix = self.prefix(call.tid, call.entered.after(returned));
        let name = call.syscall.to_string();
        let text = line::call(&name, &decoded, from, self.style, prefix.len());
        self.put(call.tid, &format!("{prefix}{text}"))
    }

    /// Whether a call that ended like this is to be shown.
    fn wants(&self, call: &Call) -> bool {
        let filter = &self.choice.filter;
        if filter.any_status() {
            return true;
        }
        let status =
            match call.outcome {
                Outcome::Returned { value, .. } | Outcome::Skipped { value } => {
                    if (-4095..0).contains(&value) { Status::Failed } else { Status::Successful }
                }
                Outcome::Pending => return false,
                _ => Status::Unfinished,
            };
        filter.statuses.contains(&status)
    }

    /// The call that a `restart_syscall` goes on with; keeps it in mind.
    fn note_restart(&mut self, call: &Call) -> Option<&'static str> {
        const RESTART_BLOCK: i64 = -516;
        let name = call.syscall.name();
        let before = match name {
            Some("restart_syscall") => self.interrupted.get(&call.tid).copied(),
            _ => None,
        };
        match (call.outcome, before.or(name)) {
            (Outcome::Returned { value: RESTART_BLOCK, .. }, Some(name)) => {
                self.interrupted.insert(call.tid, name);
            }
            // A handler's calls come between.
            (Outcome::Returned { .. }, _) if before.is_some() => {
                self.interrupted.remove(&call.tid);
            }
            _ => {}
        }
        before
    }

    fn wants_signal(&self, number: i32) -> bool {
        let bit = u32::try_from(number - 1).ok().and_then(|shift| 1u64.checked_shl(shift)).unwrap_or(0);
        self.choice.filter.signals & bit != 0
    }

    fn signal(&mut self, signal: &Signal) -> Flow {
        self.meet(signal.pid, signal.tid);
        let bit =
            u32::try_from(signal.number - 1).ok().and_then(|shift| 1u64.checked_shl(shift)).unwrap_or(0);
        if self.choice.filter.signals & bit == 0 {
            return Flow::Continue;
        }
        if self.choice.json {
            return self.put(signal.tid, &record::signal(signal));
        }
        let mut line = self.prefix(signal.tid, signal.time);
        let mut info = String::new();
        decode::text::push(&mut info, &decode::signal_info(signal), self.style.hex);
        let text = format!("--- {} {info} ---", decode::signal_name(signal.number.into()));
        self.style.push(&mut line, Piece::Signal, &text);
        self.put(signal.tid, &line)
    }

    fn exited(&mut self, exited: &Exited) -> Flow {
        self.meet(exited.pid, exited.tid);
        self.unfinished.remove(&exited.tid);
        self.interrupted.remove(&exited.tid);
        // The thread that executes a program becomes the leader.
        let successor = exited.superseded_by.filter(|_| exited.tid.0 == exited.pid.0);
        // As with strace, who dies of a signal that is not shown dies unseen, and quiet is only who exits.
        let signal = exited.status & 0x7f;
        let unseen = match (successor, signal) {
            (Some(_), _) => false,
            (None, 0) => self.choice.filter.quiet_exit,
            (None, signal) => !self.wants_signal(signal),
        };
        let flow = if unseen {
            Flow::Continue
        } else if self.choice.json {
            self.put(exited.tid, &record::exited(exited))
        } else {
            let mut line = self.prefix(exited.tid, exited.time);
            let text = match (successor, signal) {
                (Some(successor), _) => format!("+++ superseded by execve in pid {successor} +++"),
                (None, 0) => format!("+++ exited with {} +++", (exited.status >> 8) & 0xff),
                (None, signal) => {
                    let core = if exited.status & 0x80 == 0 { "" } else { " (core dumped)" };
                    format!("+++ killed by {}{core} +++", decode::signal_name(signal.into()))
                }
            };
            self.style.push(&mut line, Piece::End, &text);
            self.put(exited.tid, &line)
        };
        let gone = successor.unwrap_or(exited.tid);
        self.destination.close(gone);
        self.threads.remove(&gone);
        flow
    }
}

/// Leaves out what descriptors refer to.
fn forget_targets(decoded: &mut Decoded) {
    let values = decoded.arguments.iter_mut().map(|argument| &mut argument.value);
    let result = match &mut decoded.ended {
        Ended::Returned { value, .. } => Some(value),
        _ => None,
    };
    for value in values.chain(result) {
        if let Value::Descriptor { target, .. } = value {
            *target = None;
        }
    }
}

impl Sink for Printer {
    fn event(&mut self, event: &Event) -> Flow {
        match event {
            Event::Call(call) => self.call(call),
            Event::Signal(signal) => self.signal(signal),
            Event::Exited(exited) => self.exited(exited),
            _ => Flow::Continue,
        }
    }

    fn lost(&mut self, count: u64) {
        self.lost += count;
        if self.choice.json {
            self.destination.write_to_all(&record::lost(count));
        } else {
            self.destination.write_to_all(&format!("!!! {count} events are missing here !!!"));
        }
    }
}
