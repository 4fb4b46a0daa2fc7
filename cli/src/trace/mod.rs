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

use std::ffi::OsString;

use anyhow::{Context, ensure};
use seccomp_trace_bpf::{BpfSession, Error, Tracer};
use seccomp_trace_core::{Arch, Collector, Results, RunningSpec, Selection, Session, Target, Tgid, View};
use seccomp_trace_profile::confine::Needs;

pub(crate) use args::TraceArgs;
use clock::{Clock, Stamp};
use destination::Destination;
use expression::{Filter, Status};
use paths::Paths;
use printer::{Choice, Printer};
use style::Style;

use crate::confined::say_error;
use crate::decode::plan;
use crate::decode::text::Hex;
use crate::exit::Exit;
use crate::say::say;
use crate::summary::SummaryArgs;
use crate::{inherited, user};

/// The most that the kernel reads of a string.
const LONGEST_STRING: u32 = 4096;

/// What `trace` is to do, with everything checked that can be checked before anything starts.
struct Plan {
    target: Target,
    /// Nothing but a summary is wanted where there is none.
    view: Option<View>,
    buffer: u32,
    printer: Printer,
    summary: SummaryArgs,
    calls: Selection,
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
        let narrow = args.successful_only || args.failed_only || !args.paths.is_empty();
        ensure!(
            !args.summary.is_wanted() || !narrow,
            "a summary counts all results and paths: -c and -C do not go with -z, -Z and -P"
        );
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
            string_limit: usize::try_from(args.string_limit).unwrap_or(usize::MAX),
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
        let (quiet, calls) = (filter.quiet_attach, filter.calls.clone());
        let choice = Choice { filter, paths, descriptors, json: args.json };
        let destination = Destination::open(args.output.as_deref(), args.follow > 1)?;
        let clock = Clock::new(stamp, args.relative_timestamps);
        Ok(Self {
            view: (!args.summary.is_only()).then_some(view),
            summary: args.summary,
            calls,
            buffer: args.buffer << 20,
            printer: Printer::new(choice, style, clock, destination),
            target: target(args.pids, args.command, args.user.as_deref())?,
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

fn target(pids: Vec<u32>, command: Vec<OsString>, user: Option<&str>) -> anyhow::Result<Target> {
    if command.is_empty() {
        ensure!(user.is_none(), "-u is for a command; processes that run already have their user");
        return Ok(Target::Running(RunningSpec::processes(pids.into_iter().map(Tgid))));
    }
    let mut spec = inherited::command(command);
    if let Some(name) = user {
        spec = spec.credentials(user::resolve(name)?);
    }
    Ok(Target::Command(spec))
}

/// Runs `seccomp-trace trace`. The result is the command's own status, unless that is 0 and something of ours failed.
pub(crate) fn run(args: TraceArgs) -> anyhow::Result<Exit> {
    let (as_json, confine) = (args.json, args.confine);
    // A file for all is open by then; one for each thread is not.
    let files = args.follow > 1;
    let Plan { target, view, buffer, mut printer, summary, calls, quiet } = Plan::resolve(args)?;
    let mut builder = Tracer::builder().record(false).relay_signals(true).ptrace_rule(true);
    if let Some(view) = view {
        builder = builder.view(view).view_buffer(buffer);
    }
    if let Some(spec) = summary.spec() {
        builder = builder.tally(spec);
    }
    let tracer = builder.load()?;
    let mut session = tracer.observe(target.clone())?;
    let signals = matches!(target, Target::Command(_));
    confine.apply(&mut session, Needs { signals, files, ..Needs::default() });
    if !quiet {
        tell(&target, "attached");
    }
    match &target {
        Target::Running(running) => printer.expect(running.pids.iter().copied()),
        _ => printer.expect(session.command_pid().and_then(|pid| u32::try_from(pid).ok()).map(Tgid)),
    }
    let watched = watch(&mut session, &mut printer);
    if !quiet && session.interrupted().is_some() {
        tell(&target, "detached");
    }
    let launched = session.command_pid().is_some();
    let status = session.command_status().map(Exit::from);
    if let Some(mut tally) = session.tally()? {
        tally.rows.retain(|row| calls.has(row.call));
        if as_json {
            summary.print(&tally, true);
        } else {
            printer.put_text(&summary.text(&tally));
            SummaryArgs::warn(&tally);
        }
    }
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
            say_error(&error);
            if status == Exit::SUCCESS { Exit::RUN_TROUBLE } else { status }
        }
    })
}

/// Says what happened to processes that ran already.
fn tell(target: &Target, what: &str) {
    if let Target::Running(running) = target {
        running.pids.iter().for_each(|pid| say!("Process {pid} {what}"));
    }
}

/// Waits until all have ended, or somebody asks for the end.
fn watch(session: &mut BpfSession, printer: &mut Printer) -> Result<(), Error> {
    while session.interrupted().is_none() {
        let ended = session.poll(None, printer)?;
        printer.flush();
        if ended {
            break;
        }
    }
    Ok(())
}
