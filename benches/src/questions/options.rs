//! What do the options of tracing cost?

use super::Question;
use super::hot::calls;
use crate::context::{Context, PerCall};
use crate::stats::{Contender, in_turn};
use crate::table::{Row, Unit};
use crate::tracers::Tracer;

pub(super) const QUESTION: Question = Question {
    name: "options",
    text: "What do the traced loops cost with more than the plain recording?",
    how: "A loop under plain `run`, and the same loop with the option, of getppid or, where the option is about \
          arguments, of a prctl whose first argument is recorded. CPU time of the loop's thread, and wall time.",
    traces: true,
    ask,
};

/// Something that a user can ask for.
struct Extra {
    name: &'static str,
    /// The call that it is about.
    call: &'static str,
    /// The options of the plain `run` that it is compared with.
    plain: &'static [&'static str],
    /// What runs the command with it.
    with: fn(&Context) -> anyhow::Result<Tracer>,
}

/// A further option is a further entry.
const EXTRAS: &[Extra] = &[
    Extra {
        name: "argument rules (run --args prctl), a loop of prctl",
        call: "prctl",
        plain: &["--args", "none"],
        with: |_| Ok(Tracer::run(&["--args", "prctl"])),
    },
    Extra { name: "a summary (run -c)", call: "getppid", plain: &[], with: |_| Ok(Tracer::run(&["-c"])) },
    Extra {
        name: "denial detection (verify --log-only)",
        call: "getppid",
        plain: &[],
        with: |context| {
            let profile = context.path("allows.json");
            std::fs::write(&profile, r#"{"defaultAction": "SCMP_ACT_ALLOW"}"#)?;
            let profile = profile.to_string_lossy();
            Ok(Tracer::ours("verify", &["-q", "--log-only", "--profile", &profile]))
        },
    },
];

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let calls = calls(context.scale);
    let mut rows = Vec::new();
    for extra in EXTRAS {
        let looped = |tracer: Tracer| move || context.looped(&tracer, extra.call, calls);
        let contenders = vec![
            Contender::new("plain", looped(Tracer::run(extra.plain))),
            Contender::new(extra.name, looped((extra.with)(context)?)),
        ];
        let rounds = in_turn(context.scale.rounds(), contenders)?;
        let cpu = rounds.ratio(extra.name, "plain", |one: &PerCall| one.cpu);
        let wall = rounds.ratio(extra.name, "plain", |one: &PerCall| one.wall);
        rows.push(Row::new(format!("{}, of plain run", extra.name), Unit::Ratio, cpu));
        rows.push(Row::new(format!("{}, of plain run, wall time", extra.name), Unit::Ratio, wall));
    }
    Ok(rows)
}
