//! How much dearer does tracing make a syscall that costs next to nothing by itself?

use super::Question;
use crate::context::{Context, PerCall, Scale};
use crate::floor::{Asks, Floor};
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::{PEERS, Tracer};

pub(super) const QUESTION: Question = Question {
    name: "hot",
    text: "What does a loop of getppid cost when it is traced?",
    how: "The loop alone (`tracees/loop.c`, pinned to a CPU); with an empty program on `tp_btf/sys_enter` attached, \
          which is the floor; with one that only asks the kernel which task it is and what is stored with it, as a \
          recorder must (two helpers, which cost most where the CPU has its returns guarded, as by Safe RET); under \
          `seccomp-trace run`; under each peer. CPU time of the loop's thread, and wall time, \
          which has the tracer's own work as well.",
    traces: true,
    ask,
};

/// The loop alone.
pub(super) const UNTRACED: &str = "untraced";
/// The loop with the empty program attached.
pub(super) const FLOOR: &str = "the floor";
/// The loop with a program that asks for the task's storage and does nothing.
const ASKED: &str = "the floor with storage";
const TRACED: &str = "seccomp-trace run";

/// How many calls a loop makes.
pub(super) fn calls(scale: Scale) -> u64 {
    scale.pick(3_000_000, 100_000)
}

/// The loop alone, and with the empty program attached.
pub(super) fn untraced_and_floor<'a>(context: &'a Context, call: &'a str) -> Vec<Contender<'a, PerCall>> {
    let calls = calls(context.scale);
    vec![
        Contender::new(UNTRACED, move || context.looped(&Tracer::none(), call, calls)),
        Contender::new(FLOOR, move || looped_on_floor(context, Asks::Nothing, call)),
    ]
}

/// The loop with a program of the floor attached.
pub(super) fn looped_on_floor(context: &Context, asks: Asks, call: &str) -> anyhow::Result<PerCall> {
    let _floor = Floor::attach(asks)?;
    context.looped(&Tracer::none(), call, calls(context.scale))
}

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let calls = calls(context.scale);
    let mut contenders = untraced_and_floor(context, "getppid");
    contenders.push(Contender::new(ASKED, move || looped_on_floor(context, Asks::Storage, "getppid")));
    contenders.push(Contender::new(TRACED, move || context.looped(&Tracer::run(&[]), "getppid", calls)));
    for peer in PEERS.iter().filter(|peer| peer.is_installed()) {
        let fewer = calls / peer.slower;
        contenders.push(Contender::new(peer.name, move || context.looped(&peer.tracer(), "getppid", fewer)));
    }
    let rounds = in_turn(context.scale.rounds(), contenders)?;

    let (cpu, wall) = (|one: &PerCall| one.cpu, |one: &PerCall| one.wall);
    let mut rows = vec![
        Row::new("untraced, CPU time of a call", Unit::Nanoseconds, rounds.quartiles(UNTRACED, cpu)),
        Row::new("the floor, of untraced", Unit::Ratio, rounds.ratio(FLOOR, UNTRACED, cpu)),
        Row::new(
            "the floor and the task's storage, of the floor",
            Unit::Ratio,
            rounds.ratio(ASKED, FLOOR, cpu),
        ),
        Row::new("run, of untraced", Unit::Ratio, rounds.ratio(TRACED, UNTRACED, cpu)),
        Row::new("run, of the floor", Unit::Ratio, rounds.ratio(TRACED, FLOOR, cpu)).at_most(1.17),
        Row::new("run, of the floor, wall time", Unit::Ratio, rounds.ratio(TRACED, FLOOR, wall)),
    ];
    for peer in PEERS {
        let what = format!("{}, of untraced, wall time", peer.name);
        rows.push(if rounds.has(peer.name) {
            Row::new(what, Unit::Ratio, rounds.ratio(peer.name, UNTRACED, wall))
        } else {
            Row::left_out(what, "not installed")
        });
    }
    Ok(rows)
}
