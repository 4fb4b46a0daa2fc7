//! What `run` and `attach` make of a recording: a profile, the recording itself, or a table, and what is said of it.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use seccomp_trace_bpf::{BpfSession, Tracer, TracerBuilder};
use seccomp_trace_core::{Arch, Captures, Phase, Recording, captures};
use seccomp_trace_profile::Output;

use crate::args::PolicyArgs;
use crate::compare::{Found, standard_output_is_free};
use crate::confined::any_file;
use crate::profile::{self, ProfilePlan};
use crate::say::{self, say};
use crate::summary::SummaryArgs;
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
    #[command(flatten)]
    pub(crate) summary: SummaryArgs,
    /// Fail if the recording may be incomplete
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print nothing but errors and losses
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// The same with everything checked that can be checked before anything is observed.
pub(crate) struct Outcome {
    captures: Captures,
    pub(crate) quiet: bool,
    /// Whether a table is printed where no profile is written.
    pub(crate) table: bool,
    /// Whether something goes to standard output.
    pub(crate) stdout_taken: bool,
    profile: ProfilePlan,
    /// Whether a profile is to be written; one may be wanted for `--compare` alone.
    writes: bool,
    recording: Option<Output>,
    summary: SummaryArgs,
    json: bool,
    strict: bool,
}

impl Outcome {
    pub(crate) fn resolve(args: OutcomeArgs) -> anyhow::Result<Self> {
        // Without -o there is no profile to write, but a wrong BASE is still a mistake to be told before the start.
        let profile = ProfilePlan::resolve(&args.policy, args.args != "none")?;
        let recording = args.recording.as_deref().map(profile::prepare_output).transpose()?;
        if let (Some(_), Some(recording)) = (&args.policy.output, &recording) {
            let same = profile.output().is_same_place(recording);
            ensure!(!same, "-o and --recording are the same file; give each its own");
        }
        let streams = [args.policy.output.as_ref().map(|_| profile.output()), recording.as_ref()];
        let taken = streams.into_iter().flatten().any(Output::is_standard_output);
        let comparison = &args.policy.comparison;
        let of_something = comparison.compare.is_some() || args.summary.is_wanted();
        ensure!(!comparison.json || of_something, "--json is for --compare, -c or -C; give one of them");
        standard_output_is_free(&args.policy.comparison, taken)?;
        let native = Arch::native().context("this architecture cannot be recorded on")?;
        Ok(Self {
            captures: captures(&args.args, native).context("cannot use --args")?,
            quiet: args.quiet,
            table: true,
            stdout_taken: taken || args.policy.comparison.json,
            profile,
            writes: args.policy.output.is_some(),
            recording,
            json: args.policy.comparison.json,
            summary: args.summary,
            strict: args.strict,
        })
    }

    /// A builder of tracers that record what is wanted.
    pub(crate) fn tracer(&self) -> TracerBuilder {
        let builder = Tracer::builder().relay_signals(true).capture(self.captures.clone());
        match self.summary.spec() {
            Some(spec) => builder.tally(spec),
            None => builder,
        }
    }

    /// Whether files are written.
    pub(crate) fn writes_files(&self) -> bool {
        let profile = self.writes.then(|| self.profile.output());
        any_file(profile.into_iter().chain(&self.recording))
    }

    /// Prints the summary, where one was asked for: also with --quiet, which is about everything else.
    pub(crate) fn summarise(&self, session: &BpfSession) -> anyhow::Result<()> {
        if let Some(tally) = session.tally()? {
            self.summary.print(&tally, self.json);
        }
        Ok(())
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
        if !self.quiet && !self.writes && self.table && !self.summary.is_only() {
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
