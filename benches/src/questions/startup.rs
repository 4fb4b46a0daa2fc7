//! How long does a command wait until it is traced?

use super::Question;
use crate::context::{Context, finish, numbers, tracee, words};
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::{PEERS, Peer, Tracer};

pub(super) const QUESTION: Question = Question {
    name: "startup",
    text: "How long does a command wait until it is traced?",
    how: "From just before the exec of the tracer to the command's own `main`: a small program (`tracees/stamp.c`) \
          writes down the time and executes the tracer, which runs the same program again. Milliseconds of wall time.",
    traces: true,
    ask,
};

const UNTRACED: &str = "untraced";
const TRACED: &str = "seccomp-trace run";
const STRACE: &str = "strace -f -c";

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let mut contenders = vec![
        Contender::new(UNTRACED, || once(context, &Tracer::none())),
        Contender::new(TRACED, || once(context, &Tracer::run(&[]))),
    ];
    let installed = || PEERS.iter().filter(|peer: &&Peer| peer.is_installed());
    for peer in installed() {
        contenders.push(Contender::new(peer.name, || once(context, &peer.tracer())));
    }
    let rounds = in_turn(context.scale.rounds(), contenders)?;
    let millis = |name: &str| rounds.quartiles(name, |value| *value);
    let mut rows = vec![
        Row::new("untraced", Unit::Milliseconds, millis(UNTRACED)),
        Row::new("run", Unit::Milliseconds, millis(TRACED)).at_most(25.0),
    ];
    let what = "run, of strace's";
    rows.push(if rounds.has(STRACE) {
        Row::new(what, Unit::Ratio, rounds.ratio(TRACED, STRACE, |value| *value)).at_most(1.0)
    } else {
        Row::left_out(what, "strace is not installed").at_most(1.0)
    });
    for peer in PEERS {
        rows.push(if peer.is_installed() {
            Row::new(peer.name, Unit::Milliseconds, millis(peer.name))
        } else {
            Row::left_out(peer.name, "not installed")
        });
    }
    Ok(rows)
}

/// Milliseconds.
fn once(context: &Context, tracer: &Tracer) -> anyhow::Result<f64> {
    let file = context.path("stamps");
    let stamp = words([tracee("stamp").as_os_str(), file.as_os_str()]);
    let line = [stamp.clone(), tracer.line(stamp)].concat();
    finish(&line)?;
    let [before, after] = numbers(&file)?;
    Ok((after - before) / 1e6)
}
