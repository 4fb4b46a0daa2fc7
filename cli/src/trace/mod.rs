//! `seccomp-trace trace`: one line per call, as strace prints them, without stopping anybody.

mod args;
mod clock;
mod destination;
mod expression;
#[cfg(test)]
mod golden;
mod line;
mod paths;
mod printer;
mod record;
mod style;

use std::time::Duration;

use anyhow::{Context, ensure};
use seccomp_trace_bpf::{BpfSession, Error, Tracer};
use seccomp_trace_core::{Arch, Collector, CommandSpec, Results, Session, Target, Tgid, View};

pub(crate) use args::TraceArgs;
use clock::{Clock, Stamp};
use destination::Destination;
use expression::{Filter, Status};
use paths::Paths;
use printer::{Choice, Printer};
use style::Style;

use crate::decode::plan;
use crate::decode::text::Hex;
use crate::exit::Exit;
use crate::say::say;
use crate::{inherited, user};

/// How long one of several processes is waited for before the next is looked at.
const TURN: Duration = Duration::from_millis(20);
/// The most that the kernel reads of a string.
const LONGEST_STRING: u32 = 4096;

/// What `trace` is to do, with everything checked that can be checked before anything starts.
struct Plan {
    targets: Vec<Target>,
    view: View,
    buffer: u32,
    printer: Printer,
    quiet: bool,
}

impl Plan {
    fn resolve(args: TraceArgs) -> anyhow::Result<Self> {
        let native = Arch::native().context("this architecture cannot be traced on")?;
        ensure!(args.follow < 2 || args.output.is_some(), "-ff needs -o FILE: the lines go to FILE.TID");
        ensure!(
            args.string_limit <= LONGEST_STRING,
            "-s: at most {LONGEST_STRING} bytes of a string can be shown"
        );
        let filter = filter(&args, native)?;
        let paths = Paths::new(&args.paths);
        let descriptors = args.descriptors > 0 || filter.descriptors;
        let view = View {
            calls: filter.calls.clone(),
            results: results(&filter),
            reads: plan::reads(native, descriptors || !paths.is_empty()),
            string_limit: args.string_limit,
            signals: filter.signals != 0,
            // Who is alive decides whether lines say whose they are.
            exits: true,
        };
        let style = Style {
            hex: match args.hex {
                0 => Hex::None,
                1 => Hex::NonAscii,
                _ => Hex::All,
            },
            column: args.column,
            durations: args.durations,
            colours: !args.json && style::colours(&args.color, args.output.is_some()),
        };
        let stamp = match args.time {
            0 => Stamp::None,
            1 => Stamp::Seconds,
            2 => Stamp::Microseconds,
            _ => Stamp::Unix,
        };
        let quiet = filter.quiet_attach;
        let choice = Choice { filter, paths, descriptors, json: args.json };
        let destination = Destination::open(args.output.as_deref(), args.follow > 1)?;
        let clock = Clock::new(stamp, args.relative_timestamps);
        Ok(Self {
            view,
            buffer: args.buffer << 20,
            printer: Printer::new(choice, style, clock, destination),
            targets: targets(args.pids, args.command, args.user.as_deref())?,
            quiet,
        })
    }
}

fn filter(args: &TraceArgs, native: Arch) -> anyhow::Result<Filter> {
    let mut filter = Filter::default();
    for expression in &args.expressions {
        filter.add(expression, native).with_context(|| format!("cannot use -e {expression}"))?;
    }
    if args.successful_only {
        filter.statuses = [Status::Successful].into();
    }
    if args.failed_only {
        filter.statuses = [Status::Failed].into();
    }
    filter.verbose |= args.verbose;
    filter.quiet_attach |= args.quiet > 0;
    filter.quiet_exit |= args.quiet > 1;
    Ok(filter)
}

/// What can be left out before it is an event.
fn results(filter: &Filter) -> Results {
    let wants = |status| filter.statuses.contains(&status);
    match (wants(Status::Successful), wants(Status::Failed), wants(Status::Unfinished)) {
        (true, false, false) => Results::Successes,
        (false, true, false) => Results::Failures,
        _ => Results::All,
    }
}

fn targets(
    pids: Vec<u32>,
    command: Vec<std::ffi::OsString>,
    user: Option<&str>,
) -> anyhow::Result<Vec<Target>> {
    let mut words = command.into_iter();
    let Some(program) = words.next() else {
        ensure!(user.is_none(), "-u is for a command; processes that run already have their user");
        return Ok(pids.into_iter().map(|pid| Target::Process(Tgid(pid))).collect());
    };
    let mut spec = CommandSpec::new(program).args(words).ignore_sigpipe(inherited::sigpipe_ignored());
    if let Some(env) = inherited::initial_environment() {
        spec = spec.env(env);
    }
    if let Some(name) = user {
        spec = spec.credentials(user::resolve(name)?);
    }
    Ok(vec![Target::Command(spec)])
}

/// Runs `seccomp-trace trace`. The result is the command's own status, unless that is 0 and something of ours failed.
pub(crate) fn run(args: TraceArgs) -> anyhow::Result<Exit> {
    let Plan { targets, view, buffer, mut printer, quiet } = Plan::resolve(args)?;
    let slots = u16::try_from(targets.len()).context("too many processes at once")?;
    let tracer = Tracer::builder()
        .record(false)
        .view(view)
        .view_buffer(buffer)
        .slots(slots)
        .relay_signals(true)
        .load()?;
    let mut sessions = Vec::with_capacity(targets.len());
    for target in &targets {
        sessions.push(tracer.observe(target.clone())?);
        if !quiet {
            tell(target, "attached");
        }
    }
    let watched = watch(&mut sessions, &mut printer);
    if !quiet && sessions.iter().any(|session| session.interrupted().is_some()) {
        targets.iter().for_each(|target| tell(target, "detached"));
    }
    let launched = sessions.iter().any(|session| session.command_pid().is_some());
    let status = sessions.iter().find_map(BpfSession::command_status).map(Exit::from);
    let (lost, written) = printer.finish();
    if lost > 0 {
        say!(
            "{lost} events are missing: they came faster than they were written (--buffer keeps more, -e leaves out)"
        );
    }
    watched?;
    let status = status.unwrap_or(if launched { Exit::RUN_TROUBLE } else { Exit::SUCCESS });
    Ok(match written {
        Ok(()) => status,
        Err(error) => {
            say!("{error:#}");
            if status == Exit::SUCCESS { Exit::RUN_TROUBLE } else { status }
        }
    })
}

/// Says what happened to a process that ran already.
fn tell(target: &Target, what: &str) {
    if let Target::Process(pid) = target {
        say!("Process {pid} {what}");
    }
}

/// Waits until all have ended, or somebody asks for the end.
fn watch(sessions: &mut [BpfSession], printer: &mut Printer) -> Result<(), Error> {
    let timeout = if sessions.len() > 1 { Some(TURN) } else { None };
    let mut live = vec![true; sessions.len()];
    while live.contains(&true) {
        for (session, live) in sessions.iter_mut().zip(&mut live).filter(|(_, live)| **live) {
            *live = !session.poll(timeout, printer)?;
            printer.flush();
            if session.interrupted().is_some() {
                return Ok(());
            }
        }
    }
    Ok(())
}
