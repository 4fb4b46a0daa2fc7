//! What does watching calls as they happen cost?

use super::Question;
use super::hot::{UNTRACED, calls};
use crate::context::{Context, PerCall};
use crate::machine::which;
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::Tracer;

pub(super) const QUESTION: Question = Question {
    name: "live",
    text: "What does the live view cost a loop of getppid, of a few calls and of all?",
    how: "The loop alone, under plain `run`, under `trace` of a call that it does not make (openat) and of all calls, and \
          under `strace -f`; what is printed goes to /dev/null. CPU time of the loop's thread, and wall time: strace's own \
          work is in the latter alone.",
    traces: true,
    ask,
};

const PLAIN: &str = "plain run";
const SOME: &str = "trace -e openat";
const ALL: &str = "trace of all calls";
const STRACE: &str = "strace -f";

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let calls = calls(context.scale);
    let looped = |tracer: Tracer, calls: u64| move || context.looped(&tracer, "getppid", calls);
    let trace = |options: &[&str]| Tracer::ours("trace", &[&["-q", "-o", "/dev/null"], options].concat());
    let mut contenders = vec![
        Contender::new(UNTRACED, looped(Tracer::none(), calls)),
        Contender::new(PLAIN, looped(Tracer::run(&[]), calls)),
        Contender::new(SOME, looped(trace(&["-e", "trace=openat"]), calls)),
        Contender::new(ALL, looped(trace(&[]), calls / 4)),
    ];
    let strace = which("strace").is_some();
    if strace {
        let tracer = Tracer::before(["strace", "-f", "-o", "/dev/null", "--"]);
        contenders.push(Contender::new(STRACE, looped(tracer, calls / 50)));
    }
    let rounds = in_turn(context.scale.rounds(), contenders)?;
    let (cpu, wall) = (|one: &PerCall| one.cpu, |one: &PerCall| one.wall);
    let mut rows = vec![
        Row::new("trace -e openat, of plain run", Unit::Ratio, rounds.ratio(SOME, PLAIN, cpu)).at_most(1.05),
        Row::new("trace -e openat, of untraced", Unit::Ratio, rounds.ratio(SOME, UNTRACED, cpu)),
        Row::new("trace of all calls, of plain run", Unit::Ratio, rounds.ratio(ALL, PLAIN, cpu)),
        Row::new(
            "trace of all calls, of untraced, wall time",
            Unit::Ratio,
            rounds.ratio(ALL, UNTRACED, wall),
        ),
    ];
    let what = "strace -f, of trace of all calls, wall time";
    rows.push(if strace {
        Row::new(what, Unit::Ratio, rounds.ratio(STRACE, ALL, wall)).at_least(10.0)
    } else {
        Row::left_out(what, "not installed")
    });
    Ok(rows)
}
