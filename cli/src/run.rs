//! `seccomp-trace run`: launches the command, records it, and writes what was asked for.

use anyhow::{Context, ensure};
use seccomp_trace_bpf::{BpfSession, Tracer};
use seccomp_trace_core::{
    Arch, Captures, Collector, CommandSpec, Ended, NoSink, Phase, Recording, Session, Target, captures,
};
use seccomp_trace_profile::Output;

use crate::args::RunArgs;
use crate::compare::{Found, standard_output_is_free};
use crate::exit::Exit;
use crate::profile::ProfilePlan;
use crate::say::{self, say};
use crate::table::table;
use crate::{inherited, profile, user};

/// What `run` is to do, with everything checked that can be checked before the command starts.
struct Plan {
    command: CommandSpec,
    captures: Captures,
    profile: ProfilePlan,
    /// Whether a profile is to be written; one may be wanted for `--compare` alone.
    writes: bool,
    recording: Option<Output>,
    no_wait: bool,
    strict: bool,
    quiet: bool,
}

impl Plan {
    fn resolve(args: RunArgs) -> anyhow::Result<Self> {
        let mut words = args.command.into_iter();
        let mut command = CommandSpec::new(words.next().unwrap_or_default())
            .args(words)
            .record_args(args.argv)
            .ignore_sigpipe(inherited::sigpipe_ignored());
        if let Some(env) = inherited::initial_environment() {
            command = command.env(env);
        }
        if let Some(name) = &args.user {
            command = command.credentials(user::resolve(name)?);
        }
        // Without -o there is no profile to write, but a wrong BASE is still a mistake to be told before the start.
        let profile = ProfilePlan::resolve(&args.policy, args.args != "none")?;
        let recording = args.recording.as_deref().map(profile::prepare_output).transpose()?;
        if let (Some(_), Some(recording)) = (&args.policy.output, &recording) {
            let same = profile.output().is_same_place(recording);
            ensure!(!same, "-o and --recording are the same file; give each its own");
        }
        let streams = [args.policy.output.as_ref().map(|_| profile.output()), recording.as_ref()];
        let taken = streams.into_iter().flatten().any(Output::is_standard_output);
        standard_output_is_free(&args.policy.comparison, taken)?;
        let native = Arch::native().context("this architecture cannot be recorded on")?;
        Ok(Self {
            command,
            captures: captures(&args.args, native).context("cannot use --args")?,
            profile,
            writes: args.policy.output.is_some(),
            recording,
            no_wait: args.no_wait,
            strict: args.strict,
            quiet: args.quiet,
        })
    }
}

/// Runs `seccomp-trace run`. The result is the command's own status, unless that is 0 and something of ours failed.
pub(crate) fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let plan = Plan::resolve(args)?;
    let tracer = Tracer::builder().relay_signals(true).capture(plan.captures.clone()).load()?;
    let mut session = tracer.observe(Target::Command(plan.command.clone()))?;
    let ended = wait(&mut session, plan.no_wait)?;
    let status = session.command_status().map_or(Exit::RUN_TROUBLE, Exit::from);
    let recording = session.finish(ended)?;
    Ok(match report(&plan, &recording) {
        Ok(()) => status,
        Err(error) => {
            say!("{error:#}");
            if status == Exit::SUCCESS { Exit::RUN_TROUBLE } else { status }
        }
    })
}

/// Waits until the command, and its descendants where they are waited for, have ended.
pub(crate) fn wait(session: &mut BpfSession, no_wait: bool) -> Result<Ended, seccomp_trace_bpf::Error> {
    loop {
        if session.poll(None, &mut NoSink)? {
            return Ok(Ended::TargetEnded);
        }
        if session.interrupted().is_some() {
            return Ok(Ended::Interrupted);
        }
        if no_wait && session.command_status().is_some() {
            return Ok(Ended::CommandEnded);
        }
    }
}

/// Writes and prints everything. Each part is done even if one before it failed; the first error is returned.
fn report(plan: &Plan, recording: &Recording) -> anyhow::Result<()> {
    let quiet = plan.quiet;
    let kept = match &plan.recording {
        Some(output) => profile::write(output, recording.to_json(), quiet),
        None => Ok(()),
    };
    let made = match plan.writes {
        true => plan.profile.make(recording, quiet).map(|()| Some(plan.profile.output())),
        false => Ok(None),
    };
    if !quiet && !plan.writes {
        say::raw(&table(recording));
    }
    if !quiet && let Ok(output) = &made {
        summarise(recording, *output);
    }
    if kept.is_err() || (made.is_err() && plan.recording.is_none()) {
        profile::rescue(recording);
    }
    let complete = profile::completeness(recording, plan.strict);
    let compared = plan.profile.compare(recording, quiet).and_then(Found::into_result);
    kept.and(made.map(drop)).and(complete).and(compared)
}

/// One line on what was recorded, and one on how to use the profile.
fn summarise(recording: &Recording, profile: Option<&Output>) {
    let calls = recording.syscalls(Phase::Workload).count();
    let processes: u64 = recording.runs().values().map(|run| run.processes).sum();
    let complete = if recording.losses().is_none() { "complete" } else { "possibly incomplete" };
    let noun = if processes == 1 { "process" } else { "processes" };
    let mut line = format!("{calls} syscalls, {processes} {noun}, {complete}");
    match recording.runs().values().next().map(|run| run.ended) {
        Some(Ended::Interrupted) => {
            line.push_str(", ended by a signal while processes of the command live on");
        }
        Some(Ended::CommandEnded) => line.push_str(", processes of the command live on unobserved"),
        _ => {}
    }
    match profile {
        Some(output) => {
            let path = output.path().display();
            say!("{line} -> {path}");
            if output.is_file() {
                say!("use it: podman run --security-opt seccomp={path} IMAGE");
            }
        }
        None => say!("{line}"),
    }
}
