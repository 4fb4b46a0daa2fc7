//! What does a syscall of a container cost that the hook has under observation?

use std::convert::Infallible;

use seccomp_trace_bpf::shared::{ContainerSpec, SharedDir, SharedTarget};
use seccomp_trace_core::Tgid;

use super::Question;
use super::hot::{FLOOR, UNTRACED, calls, untraced_and_floor};
use crate::context::{Context, PerCall, loop_words, read_loop, words};
use crate::held::Held;
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};

pub(super) const QUESTION: Question = Question {
    name: "contained",
    text: "What does the loop cost in a container that the hook observes?",
    how: "The loop in a process that is observed as a container's init, by the instance that hooks share: alone, and \
          with 49 others observed that sleep. CPU time of the loop's thread.",
    traces: true,
    ask,
};

const OTHERS: usize = 49;
const ALONE: &str = "alone";
const CROWDED: &str = "one of fifty";

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let shared = SharedDir::new(context.path("shared"));
    let mut contenders = untraced_and_floor(context, "getppid");
    contenders.push(Contender::new(ALONE, || observed_loop(context, &shared)));
    contenders.push(Contender::new(CROWDED, || among_others(context, &shared)));
    let rounds = in_turn(context.scale.rounds(), contenders)?;
    let ratio = |name: &str, to: &str| rounds.ratio(name, to, |one: &PerCall| one.cpu);
    Ok(vec![
        Row::new("observed alone, of untraced", Unit::Ratio, ratio(ALONE, UNTRACED)),
        Row::new("observed alone, of the floor", Unit::Ratio, ratio(ALONE, FLOOR)),
        Row::new("one of fifty, of observed alone", Unit::Ratio, ratio(CROWDED, ALONE)),
    ])
}

fn observe(held: &Held, shared: &SharedDir) -> anyhow::Result<SharedTarget> {
    let id = format!("bench-{}", held.id());
    Ok(shared.observe(ContainerSpec::new(id, "/", Tgid(held.id())))?)
}

fn observed_loop(context: &Context, shared: &SharedDir) -> anyhow::Result<PerCall> {
    let (file, calls) = (context.path("contained"), calls(context.scale));
    let mut held = Held::start(&loop_words("getppid", calls, &file))?;
    let target = observe(&held, shared)?;
    held.finish()?;
    target.finish(|_, _| Ok::<_, Infallible>(()))?;
    read_loop(&file, calls)
}

fn among_others(context: &Context, shared: &SharedDir) -> anyhow::Result<PerCall> {
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        let mut other = Held::start(&words(["sleep", "1000"]))?;
        let target = observe(&other, shared)?;
        other.release();
        others.push((other, target));
    }
    let result = observed_loop(context, shared);
    for (other, target) in others {
        drop(other);
        target.finish(|_, _| Ok::<_, Infallible>(()))?;
    }
    result
}
