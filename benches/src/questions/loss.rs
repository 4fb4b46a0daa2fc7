//! Is a rare call ever lost?

use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::{Running, calls, harmless, read_recording, seccomp_trace, tracee, workload};

use super::Question;
use crate::context::Context;
use crate::table::{Row, Unit};

pub(super) const QUESTION: Question = Question {
    name: "loss",
    text: "Is a rare call lost in a storm of others, when nobody reads?",
    how: "Every CPU makes millions of calls, while at least 64 other calls are made once each \
          (`tests/tracees/storm.c`). `seccomp-trace` is stopped from before the first to after the last. Then the recording \
          must have them all.",
    traces: true,
    ask,
};

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let (trials, millions) = context.scale.pick((50, "4"), (2, "1"));
    let mut lost = 0_u32;
    for _ in 0..trials {
        lost += trial(context, millions)?;
    }
    let calls = u32::try_from(harmless().len())? * trials;
    Ok(vec![
        Row::single("rare calls made", Unit::Count, f64::from(calls)),
        Row::single(format!("of them lost, in {trials} trials"), Unit::Count, f64::from(lost)).at_most(0.0),
    ])
}

/// How many calls were lost.
fn trial(context: &Context, millions: &str) -> anyhow::Result<u32> {
    let file = context.path("storm.json");
    let run = Running::start(
        Command::new(seccomp_trace())
            .args(["run", "-q", "--recording"])
            .arg(&file)
            .arg("--")
            .args([&tracee("storm"), millions]),
    );
    anyhow::ensure!(run.line() == "ready", "the storm does not begin");
    run.signal(Signal::SIGSTOP);
    // The names come at the storm's end.
    let first = run.line();
    run.signal(Signal::SIGCONT);
    let finished = run.wait().success();
    let made = calls(std::iter::once(first.as_str()).chain(finished.stdout.lines()));
    anyhow::ensure!(made.len() >= 64, "the storm made only {} rare calls", made.len());
    let recorded = workload(&read_recording(&file));
    Ok(u32::try_from(made.difference(&recorded).count())?)
}
