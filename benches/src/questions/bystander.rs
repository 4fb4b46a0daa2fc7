//! What do those pay who are not traced, while somebody else is?

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use super::Question;
use super::hot::{FLOOR, UNTRACED, calls, looped_on_floor, untraced_and_floor};
use crate::context::{Context, PerCall, words};
use crate::floor::Asks;
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::Tracer;

pub(super) const QUESTION: Question = Question {
    name: "bystander",
    text: "What does the same loop cost in a process that is not traced, while another one is?",
    how: "The loop alone; with the empty program attached; with one that only asks the kernel which task it is, as a \
          recorder must; while `seccomp-trace run` observes a shell that waits. CPU time of the loop's thread.",
    traces: true,
    ask,
};

const ASKED: &str = "the floor with the task";
const TAXED: &str = "while another is traced";

/// A shell that waits under a tracer until this is dropped.
pub(super) struct Waiting {
    tracer: Child,
}

impl Waiting {
    /// The shell runs, and so is traced, when this returns.
    pub(super) fn start(tracer: &Tracer) -> anyhow::Result<Self> {
        let line = tracer.line(words(["sh", "-c", "echo ready; read -r line"]));
        let (program, arguments) = line.split_first().context("an empty command line")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut waiting = Self { tracer: command.spawn().context("cannot start a tracer")? };
        let output = waiting.tracer.stdout.take().context("a pipe")?;
        let mut said = String::new();
        BufReader::new(output).read_line(&mut said)?;
        anyhow::ensure!(said == "ready\n", "{line:?} has not started its command");
        Ok(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The shell's input ends with the pipe, then the shell, then its tracer.
        drop(self.tracer.stdin.take());
        let _ = self.tracer.wait();
    }
}

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let mut contenders = untraced_and_floor(context, "getppid");
    contenders.push(Contender::new(ASKED, move || looped_on_floor(context, Asks::Task, "getppid")));
    contenders.push(Contender::new(TAXED, move || {
        let _waiting = Waiting::start(&Tracer::run(&[]))?;
        context.looped(&Tracer::none(), "getppid", calls(context.scale))
    }));
    let rounds = in_turn(context.scale.rounds(), contenders)?;
    let cpu = |one: &PerCall| one.cpu;
    Ok(vec![
        Row::new("the floor and the task, of the floor", Unit::Ratio, rounds.ratio(ASKED, FLOOR, cpu)),
        Row::new("the tax, of untraced", Unit::Ratio, rounds.ratio(TAXED, UNTRACED, cpu)),
        Row::new("the tax, of the floor", Unit::Ratio, rounds.ratio(TAXED, FLOOR, cpu)).at_most(1.06),
    ])
}
