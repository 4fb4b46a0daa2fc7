//! What `run` and `attach` make of a recording: a profile, the recording itself, or a table, and what is said of it.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use seccomp_trace_core::{Arch, Captures, Phase, Recording, captures};
use seccomp_trace_profile::Output;

use crate::args::PolicyArgs;
use crate::compare::{Found, standard_output_is_free};
use crate::profile::{self, ProfilePlan};
use crate::say::{self, say};
use crate::table::table;

/// What is to be recorded, and where it is to go.
#[derive(Debug, Args)]
pub(crate) struct OutcomeArgs {
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    /// Write the recording itself to FILE (`-`: standard output)
    #[arg(long, value_name = "FILE")]
    pub(crate) recording: Option<PathBuf>,
    /// Of which syscalls an argument is recorded and becomes a condition: names such as socket,prctl,unshare, or
    /// `default` (socket by address family), or `none`
    #[arg(long, value_name = "NAMES", default_value = "default")]
    pub(crate) args: String,
    /// Fail if the recording may be incomplete
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print nothing but errors and losses
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// The same with everything checked that can be checked before anything is observed.
pub(crate) struct Outcome {
    pub(crate) captures: Captures,
    pub(crate) quiet: bool,
    profile: ProfilePlan,
    /// Whether a profile is to be written; one may be wanted for `--compare` alone.
    writes: bool,
    recording: Option<Output>,
    strict: bool,
}

impl Outcome {
    pub(crate) fn resolve(args: &OutcomeArgs) -> anyhow::Result<Self> {
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
            captures: captures(&args.args, native).context("cannot use --args")?,
            quiet: args.quiet,
            profile,
            writes: args.policy.output.is_some(),
            recording,
            strict: args.strict,
        })
    }

    /// Writes and prints everything, and says `note` of it. Each part is done even if one before it failed; the first
    /// error is returned.
    pub(crate) fn report(&self, recording: &Recording, note: &str) -> anyhow::Result<()> {
        let kept = match &self.recording {
            Some(output) => profile::write(output, recording.to_json(), self.quiet),
            None => Ok(()),
        };
        let made = match self.writes {
            true => self.profile.make(recording, self.quiet).map(|()| Some(self.profile.output())),
            false => Ok(None),
        };
        if !self.quiet && !self.writes {
            say::raw(&table(recording));
        }
        if !self.quiet
            && let Ok(output) = &made
        {
            summarise(recording, *output, note);
        }
        if kept.is_err() || (made.is_err() && self.recording.is_none()) {
            profile::rescue(recording);
        }
        let complete = profile::completeness(recording, self.strict);
        kept.and(made.map(drop)).and(complete)
    }

    /// Compares with an existing profile, where that was asked for.
    pub(crate) fn compare(&self, recording: &Recording) -> anyhow::Result<Found> {
        self.profile.compare(recording, self.quiet)
    }
}

/// One line on what was recorded, and one on how to use the profile.
fn summarise(recording: &Recording, profile: Option<&Output>, note: &str) {
    let calls = recording.syscalls(Phase::Workload).count();
    let processes: u64 = recording.runs().values().map(|run| run.processes).sum();
    let complete = if recording.losses().is_none() { "complete" } else { "possibly incomplete" };
    let noun = if processes == 1 { "process" } else { "processes" };
    let line = format!("{calls} syscalls, {processes} {noun}, {complete}{note}");
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
