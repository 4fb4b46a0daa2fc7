//! `seccomp-trace run`: launches the command, records it, and writes what was asked for.

use seccomp_trace_core::{Collector, CommandSpec, Ended, Recording, Session, Target};
use seccomp_trace_profile::confine::Needs;

use crate::args::RunArgs;
use crate::compare::Found;
use crate::confined::{ConfineArgs, say_error};
use crate::exit::Exit;
use crate::outcome::Outcome;
use crate::status::StatusLine;
use crate::watch::{Limits, Why, watch};
use crate::{inherited, user};

/// What `run` is to do, with everything checked that can be checked before the command starts.
struct Plan {
    command: CommandSpec,
    outcome: Outcome,
    no_wait: bool,
    status: bool,
    confine: ConfineArgs,
}

impl Plan {
    fn resolve(args: RunArgs) -> anyhow::Result<Self> {
        let mut command = inherited::command(args.command).record_args(args.argv);
        if let Some(name) = &args.user {
            command = command.credentials(user::resolve(name)?);
        }
        let outcome = Outcome::resolve(args.outcome)?;
        let (no_wait, status, confine) = (args.no_wait, args.status, args.confine);
        Ok(Self { command, outcome, no_wait, status, confine })
    }
}

/// Runs `seccomp-trace run`. The result is the command's own status, unless that is 0 and something of ours failed.
pub(crate) fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let plan = Plan::resolve(args)?;
    let tracer = plan.outcome.tracer().load()?;
    let mut session = tracer.observe(Target::Command(plan.command.clone()))?;
    // The command runs already and does not wait for this.
    let needs = Needs { signals: true, files: plan.outcome.writes_files(), ..Needs::default() };
    plan.confine.apply(&mut session, needs);
    let limits = Limits { no_wait: plan.no_wait, ..Limits::default() };
    let mut line = if plan.status { StatusLine::new() } else { None };
    // A signal that asks for what was recorded so far is the command's own.
    let why = watch(&mut session, limits, &mut line, |_| {})?;
    drop(line);
    let status = session.command_status().map_or(Exit::RUN_TROUBLE, Exit::from);
    let summarised = plan.outcome.summarise(&session);
    let recording = session.finish(ended(why))?;
    Ok(match report(&plan.outcome, &recording).and(summarised) {
        Ok(()) => status,
        Err(error) => {
            say_error(&error);
            if status == Exit::SUCCESS { Exit::RUN_TROUBLE } else { status }
        }
    })
}

fn ended(why: Why) -> Ended {
    match why {
        Why::TargetEnded => Ended::TargetEnded,
        Why::CommandEnded => Ended::CommandEnded,
        Why::Signal | Why::MaxTime | Why::Quiet => Ended::Interrupted,
    }
}

/// Writes and prints everything, also after one part of it failed; the first error is returned.
fn report(outcome: &Outcome, recording: &Recording) -> anyhow::Result<()> {
    let reported = outcome.report(recording, note(recording));
    let compared = outcome.compare(recording).and_then(Found::into_result);
    reported.and(compared)
}

/// What lives on, as it is said after what was recorded.
fn note(recording: &Recording) -> &'static str {
    match recording.runs().values().next().map(|run| run.ended) {
        Some(Ended::Interrupted) => ", ended by a signal while processes of the command live on",
        Some(Ended::CommandEnded) => ", processes of the command live on unobserved",
        _ => "",
    }
}
