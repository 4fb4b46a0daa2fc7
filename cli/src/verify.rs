//! `seccomp-trace verify`: runs a command under a profile and says what it is denied.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use seccomp_trace_bpf::probe::Facts;
use seccomp_trace_bpf::{Error, Tracer};
use seccomp_trace_core::{
    Arch, Collector, CommandSpec, Denials, Ended, Phase, Recording, SeccompFilter, Session, Target, Watch,
};
use seccomp_trace_profile::Output;
use seccomp_trace_profile::confine::Needs;

use crate::confined::{ConfineArgs, any_file};
use crate::environment::EnvironmentArgs;
use crate::exit::Exit;
use crate::profile::{completeness, prepare_output};
use crate::profiled::Profiled;
use crate::say::{self, say};
use crate::watch::{Limits, Why, watch};
use crate::{inherited, user};

/// `verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Deny nothing: run the command without the profile, and say what it would be denied
    #[arg(long)]
    log_only: bool,
    /// End with the command's own status
    #[arg(long)]
    status: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
    /// Write a profile to FILE2 that allows also what was denied (`-`: standard output)
    #[arg(long, value_name = "FILE2")]
    update: Option<PathBuf>,
    /// Run the command as USER (a name or a number), with that user's groups and with `no_new_privs` set
    #[arg(short, long, value_name = "USER")]
    user: Option<String>,
    #[command(flatten)]
    environment: EnvironmentArgs,
    /// Print nothing but errors and losses
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    confine: ConfineArgs,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// What is to be done; the files have been looked at.
struct Plan {
    command: CommandSpec,
    profiled: Profiled,
    update: Option<Output>,
}

impl Plan {
    fn resolve(args: &VerifyArgs) -> anyhow::Result<Self> {
        let profiled = Profiled::read(&args.profile, &args.environment)?;
        let here = Some(profiled.native()) == Arch::native();
        ensure!(here, "a command runs on this machine alone; leave --machine away");
        let update = args.update.as_deref().map(prepare_output).transpose()?;
        ensure!(
            !(args.json && update.as_ref().is_some_and(Output::is_standard_output)),
            "--json and --update are both standard output; give --update a FILE2"
        );
        let mut command = inherited::command(args.command.iter().cloned());
        if let Some(name) = &args.user {
            command = command.credentials(user::resolve(name)?);
        }
        Ok(Self { command, profiled, update })
    }
}

/// Runs `seccomp-trace verify`.
pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let plan = Plan::resolve(args)?;
    let mut command = plan.command.clone();
    if !args.log_only {
        let no_new_privs = args.user.is_some() || !may_install_filters();
        if no_new_privs && !args.quiet {
            say!("the command runs with no_new_privs: set-user-id programs run without their privileges");
        }
        command =
            command.filter(SeccompFilter { program: plan.profiled.filter().bytes().to_vec(), no_new_privs });
    }
    let files = any_file(&plan.update);
    let reported = plan.profiled.watch(args.log_only);
    let needs = Needs { signals: true, files, ..Needs::default() };
    let seen = match observe(&command, reported, args.confine, needs) {
        // That the command cannot be executed is its own status only where that is asked for.
        Err(error) if !args.status => {
            say!("{error:#}");
            return Ok(Exit::TROUBLE);
        }
        other => other?,
    };
    let (judgement, report) = plan.profiled.judge(&seen.denials, args.log_only)?;
    if args.json {
        say::document(&report.to_json()?);
    } else if !args.quiet {
        plan.profiled.say_environment();
        report.say();
    }
    let found = judgement.denied().next().is_some();
    completeness(&seen.recording, false)?;
    ensure!(
        found || seen.started,
        "the command was not executed, and the profile keeps it from saying why: does it allow write and exit_group?"
    );
    if let Some(output) = &plan.update {
        plan.profiled.update(&judgement, output, args.quiet)?;
    } else if found && !args.quiet && !args.json {
        let profile = args.profile.display();
        say!("allow them: seccomp-trace verify --profile {profile} --update FILE2 …");
    }
    Ok(match seen.status {
        Some(status) if args.status => status,
        _ if found => Exit::FOUND,
        _ => Exit::SUCCESS,
    })
}

/// What was seen of a command.
struct Seen {
    denials: Denials,
    recording: Recording,
    status: Option<Exit>,
    /// Whether its program was executed.
    started: bool,
}

fn observe(
    command: &CommandSpec,
    reported: Watch,
    confine: ConfineArgs,
    needs: Needs,
) -> anyhow::Result<Seen> {
    let tracer = Tracer::builder().relay_signals(true).denials(reported).load()?;
    let mut session = match tracer.observe(Target::Command(command.clone())) {
        Err(Error::LaunchDenied { source, denials }) => {
            say!("the command was not started: {:#}", anyhow::Error::new(source));
            return Ok(Seen { denials, recording: Recording::default(), status: None, started: false });
        }
        other => other?,
    };
    confine.apply(&mut session, needs);
    let ended = match watch(&mut session, Limits::default(), &mut None, |_| {})? {
        Why::TargetEnded => Ended::TargetEnded,
        _ => Ended::Interrupted,
    };
    let status = session.command_status().map(Exit::from);
    let denials = session.denials()?;
    let recording = session.finish(ended)?;
    let started = recording.syscalls(Phase::Workload).next().is_some();
    Ok(Seen { denials, recording, status, started })
}

/// Whether this process may install a filter and leave programs the privileges that they can gain.
fn may_install_filters() -> bool {
    Facts::read().capabilities.is_some_and(|set| set & (1 << CAP_SYS_ADMIN) != 0)
}

/// `include/uapi/linux/capability.h`
const CAP_SYS_ADMIN: u32 = 21;
