//! By how much does the hook delay a container?

use std::time::Instant;

use seccomp_trace_tests::Podman;
use seccomp_trace_tests::podman::of;

use super::Question;
use crate::context::Context;
use crate::machine::which;
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};

pub(super) const QUESTION: Question = Question {
    name: "podman",
    text: "How much longer does `podman run` take with the hook?",
    how: "`podman run --rm IMAGE true` without the annotation, and with it, when the hook loads, writes the profile and \
          takes everything down again. Wall time; the difference is taken round by round.",
    traces: true,
    ask,
};

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for runtime in ["crun", "runc"] {
        let missing = ["podman", "conmon", "busybox", runtime].into_iter().find(|name| which(name).is_none());
        let what = format!("{runtime}, with the hook, more than without");
        if let Some(missing) = missing {
            rows.push(Row::left_out(what, format!("{missing} is not installed")).at_most(60.0));
            continue;
        }
        let podman = Podman::new(runtime);
        let annotation = of(&podman.out("bench.json"));
        let timed = |hooked: bool| {
            let start = Instant::now();
            let ran =
                if hooked { podman.trace(&annotation, &[], &["true"]) } else { podman.run(&[], &["true"]) };
            anyhow::ensure!(ran.status.success(), "{ran:?}");
            Ok(start.elapsed().as_secs_f64() * 1e3)
        };
        let contenders =
            vec![Contender::new("without", || timed(false)), Contender::new("with", || timed(true))];
        let rounds = in_turn(context.scale.rounds(), contenders)?;
        let without = rounds.quartiles("without", |millis| *millis);
        let more = rounds.difference("with", "without", |millis| *millis);
        rows.push(Row::new(format!("{runtime}, without the hook"), Unit::Milliseconds, without));
        rows.push(Row::new(what, Unit::Milliseconds, more).at_most(60.0));
    }
    Ok(rows)
}
