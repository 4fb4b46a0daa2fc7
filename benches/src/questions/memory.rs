//! How much memory does a tracer take?

use super::Question;
use crate::context::{Context, Spent, finish, numbers, tracee, words};
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::{PEERS, Tracer};

pub(super) const QUESTION: Question = Question {
    name: "memory",
    text: "How much memory does a tracer take?",
    how: "The peak resident memory of the tracer of a small command, as its parent gets it from wait4. A process begins \
          with the peak of the one that executed it, so the parent is a small program (`tracees/measure.c`), and not the \
          benchmark. Memory of the kernel is not in it. The hook's is with its stages.",
    traces: true,
    ask,
};

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let ours = Tracer::run(&[]);
    let mut contenders = vec![
        Contender::new("the command alone", || once(context, &Tracer::none())),
        Contender::new("run", || once(context, &ours)),
    ];
    for peer in PEERS.iter().filter(|peer| peer.is_installed()) {
        contenders.push(Contender::new(peer.name, || once(context, &peer.tracer())));
    }
    let rounds = in_turn(context.scale.pick(9, 1), contenders)?;
    let peak = |name: &str| rounds.quartiles(name, |one| one.peak);
    let mut rows = vec![
        Row::new("the command alone", Unit::Mebibytes, peak("the command alone")),
        Row::new("run", Unit::Mebibytes, peak("run")).at_most(6.0),
    ];
    for peer in PEERS {
        rows.push(if peer.is_installed() {
            Row::new(peer.name, Unit::Mebibytes, peak(peer.name))
        } else {
            Row::left_out(peer.name, "not installed")
        });
    }
    Ok(rows)
}

/// As [`Context::measured`], but with the tracer inside.
fn once(context: &Context, tracer: &Tracer) -> anyhow::Result<Spent> {
    let (file, stamps) = (context.path("measure"), context.path("stamps"));
    let mut line = words([tracee("measure").as_os_str(), file.as_os_str()]);
    line.extend(tracer.line(words([tracee("stamp").as_os_str(), stamps.as_os_str()])));
    finish(&line)?;
    std::fs::remove_file(&stamps)?;
    let [wall, cpu, peak_kib] = numbers(&file)?;
    Ok(Spent { wall: wall / 1e9, cpu: cpu / 1e9, peak: peak_kib / 1024.0 })
}
