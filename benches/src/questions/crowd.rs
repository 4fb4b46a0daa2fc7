//! Does a syscall cost more when there are many targets?

use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seccomp_trace_bpf::{BpfSession, Tracer as Library};
use seccomp_trace_core::{Collector, CommandSpec, NoSink, Session, Target};

use super::bystander::Waiting;
use super::hot::calls;
use super::{Question, hot};
use crate::context::{Context, PerCall, loop_words, read_loop};
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::Tracer;

pub(super) const QUESTION: Question = Question {
    name: "crowd",
    text: "What does the traced loop cost as one target of many?",
    how: "One instance of the library with 100 slots: the loop is one of its targets, the others sleep. And separate \
          `seccomp-trace run` processes, of which one has the loop and the others a shell that waits: each has programs \
          of its own at every syscall of the machine. CPU time of the loop's thread.",
    traces: true,
    ask,
};

/// Targets of one instance.
const TARGETS: [u16; 3] = [1, 10, 100];
/// Separate tracers.
const TRACERS: [usize; 3] = [1, 5, 20];

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let library = Library::builder().slots(TARGETS[2]).load()?;
    let mut contenders = vec![Contender::new(hot::UNTRACED, || {
        context.looped(&Tracer::none(), "getppid", calls(context.scale))
    })];
    for count in TARGETS {
        let library = &library;
        contenders.push(Contender::new(targets(count), move || one_target_of(library, count, context)));
    }
    for count in TRACERS {
        contenders.push(Contender::new(tracers(count), move || under_one_tracer_of(count, context)));
    }
    let rounds = in_turn(context.scale.rounds(), contenders)?;

    let cpu = |one: &PerCall| one.cpu;
    let ratio = |name: &str, to: &str| rounds.ratio(name, to, cpu);
    let mut rows = Vec::new();
    for count in &TARGETS[1..] {
        let what = format!("one of {count} targets of an instance, of the only one");
        let row = Row::new(what, Unit::Ratio, ratio(&targets(*count), &targets(1)));
        rows.push(if *count == 100 { row.at_most(1.05) } else { row });
    }
    for count in TRACERS {
        let what = format!("under one of {count} separate `run`, of untraced");
        rows.push(Row::new(what, Unit::Ratio, ratio(&tracers(count), hot::UNTRACED)));
    }
    Ok(rows)
}

fn targets(count: u16) -> String {
    format!("{count} targets")
}

fn tracers(count: usize) -> String {
    format!("{count} tracers")
}

/// A target that sleeps until this is dropped.
struct Sleeper(BpfSession);

impl Sleeper {
    fn start(library: &Library) -> anyhow::Result<Self> {
        Ok(Self(library.observe(Target::Command(CommandSpec::new("sleep").arg("1000")))?))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(pid) = self.0.command_pid() {
            // It may have been killed before, and a session that cannot be read has nothing to say here.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            let _ = self.0.poll(Some(Duration::from_secs(10)), &mut NoSink);
        }
    }
}

fn one_target_of(library: &Library, count: u16, context: &Context) -> anyhow::Result<PerCall> {
    let others = (1..count).map(|_| Sleeper::start(library)).collect::<anyhow::Result<Vec<_>>>()?;
    let (file, calls) = (context.path("target"), calls(context.scale));
    let mut line = loop_words("getppid", calls, &file).into_iter();
    let spec = CommandSpec::new(line.next().context("an empty command line")?).args(line);
    let mut session = library.observe(Target::Command(spec))?;
    while !session.poll(None, &mut NoSink)? {}
    drop(session);
    drop(others);
    read_loop(&file, calls)
}

fn under_one_tracer_of(count: usize, context: &Context) -> anyhow::Result<PerCall> {
    let tracer = Tracer::run(&[]);
    let others = (1..count).map(|_| Waiting::start(&tracer)).collect::<anyhow::Result<Vec<_>>>()?;
    let result = context.looped(&tracer, "getppid", calls(context.scale));
    drop(others);
    result
}
