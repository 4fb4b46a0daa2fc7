//! `seccomp-trace attach`: records what runs already, and writes what was asked for.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use nix::sys::signal::{SigHandler, Signal, signal};
use seccomp_trace_bpf::BpfSession;
use seccomp_trace_bpf::containers::Places;
use seccomp_trace_core::{Collector, Ended, RunningSpec, Session, Target, Tgid};
use seccomp_trace_profile::confine::Needs;

use crate::compare::Found;
use crate::confined::{ConfineArgs, say_error};
use crate::denied::{DeniedArgs, DeniedPlan};
use crate::exit::Exit;
use crate::outcome::{Outcome, OutcomeArgs};
use crate::say::say;
use crate::status::StatusLine;
use crate::watch::{Limits, Why, watch};

/// `attach`
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    outcome: OutcomeArgs,
    #[command(flatten)]
    denied: DeniedArgs,
    /// End after TIME (30s, 5min, 1h 30min)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_time: Option<Duration>,
    /// End when nothing was seen for TIME that had not been seen before
    #[arg(long, value_name = "TIME", value_parser = duration)]
    quiet_for: Option<Duration>,
    /// Show no status line on a terminal
    #[arg(long)]
    no_status: bool,
    #[command(flatten)]
    confine: ConfineArgs,
}

/// Whom to attach to.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct TargetArgs {
    /// Processes, with all their threads and descendants
    #[arg(short, long = "pid", value_name = "PID", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pid: Vec<u32>,
    /// Whoever is in the cgroup PATH or below it, now or later: its directory, or its name as in /proc/PID/cgroup
    #[arg(long, value_name = "PATH")]
    cgroup: Option<PathBuf>,
    /// A running container of Podman, CRI-O, Docker, containerd, runc or crun, and whoever enters it: its id, the
    /// beginning of that, or its name
    #[arg(long, value_name = "ID|NAME", conflicts_with_all = ["pid", "cgroup"])]
    container: Option<String>,
}

/// A time as people write it; a number alone is seconds, as in timeout(1).
fn duration(text: &str) -> Result<Duration, humantime::DurationError> {
    match text.parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text),
    }
}

impl TargetArgs {
    fn resolve(&self) -> anyhow::Result<RunningSpec> {
        if let Some(wanted) = &self.container {
            let found = Places::system().find(wanted).context("cannot attach to the container")?;
            return Ok(found.spec());
        }
        let spec = RunningSpec::processes(self.pid.iter().copied().map(Tgid));
        Ok(match &self.cgroup {
            Some(path) => spec.cgroup(path),
            None => spec,
        })
    }
}

/// Runs `seccomp-trace attach`.
pub(crate) fn attach(args: AttachArgs) -> anyhow::Result<Exit> {
    outlive_questions();
    let denied = DeniedPlan::resolve(&args.denied, &args.outcome.policy.environment)?;
    let mut outcome = Outcome::resolve(args.outcome)?;
    if let Some(plan) = &denied {
        plan.standard_output_is_free(outcome.stdout_taken)?;
        outcome.table = false;
    }
    let spec = args.target.resolve()?;
    let builder =
        outcome.tracer().cgroups(spec.cgroup.is_some() || spec.container.is_some()).ptrace_rule(true);
    let tracer = match &denied {
        Some(plan) => builder.denials(plan.watch()).load()?,
        None => builder.load()?,
    };
    let mut session = tracer.observe(Target::Running(spec))?;
    let files = outcome.writes_files() || denied.as_ref().is_some_and(DeniedPlan::writes_a_file);
    args.confine.apply(&mut session, Needs { signals: false, files, ..Needs::default() });
    if !outcome.quiet {
        say!("attached; ^C ends it, USR1 writes what was recorded so far");
    }
    let limits = Limits { max_time: args.max_time, quiet_for: args.quiet_for, no_wait: false };
    let why = wait(&mut session, limits, args.no_status, &outcome)?;
    outcome.summarise(&session)?;
    let denials = session.denials()?;
    let recording = session.finish(match why {
        Why::TargetEnded => Ended::TargetEnded,
        _ => Ended::Interrupted,
    })?;
    outcome.report(&recording, note(why))?;
    let denies = denied.map_or(Ok(false), |plan| plan.report(&denials, outcome.quiet))?;
    match outcome.compare(&recording)? {
        Found::Nothing => Ok(if denies { Exit::FOUND } else { Exit::SUCCESS }),
        Found::Trouble(what) => {
            say!("{what}");
            Ok(Exit::FOUND)
        }
    }
}

fn wait(
    session: &mut BpfSession,
    limits: Limits,
    no_status: bool,
    outcome: &Outcome,
) -> Result<Why, seccomp_trace_bpf::Error> {
    let mut status = if outcome.quiet || no_status { None } else { StatusLine::new() };
    watch(session, limits, &mut status, |recording| {
        // What cannot be written now may be at the end.
        if let Err(error) = outcome.report(recording, " so far") {
            say_error(&error);
        }
    })
}

/// Lets a question for what was recorded so far come before there is anything, or after all was written.
fn outlive_questions() {
    // SAFETY: to ignore a signal runs no code. It fails for SIGKILL and SIGSTOP alone.
    let _ = unsafe { signal(Signal::SIGUSR1, SigHandler::SigIgn) };
}

/// Why a recording ended before its target, as it is said after it.
fn note(why: Why) -> &'static str {
    match why {
        Why::TargetEnded | Why::CommandEnded => "",
        Why::Signal => ", ended by a signal",
        Why::MaxTime => ", ended when the time was up",
        Why::Quiet => ", ended since nothing new was seen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood_as_people_write_them() {
        for (text, seconds) in [("30", 30), ("30s", 30), ("5min", 300), ("1h 30min", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert!(duration("soon").is_err() && duration("-1").is_err() && duration("").is_err());
    }
}
