//! What `run` and `generate` share: from a recording to a checked profile in a file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seccomp_trace_core::Recording;
use seccomp_trace_profile::{
    CheckReport, Environment, Errnos, Output, Policy, Profile, Written, check_instances, generate,
};

use crate::args::PolicyArgs;
use crate::compare::{ComparePlan, Found};
use crate::say::{self, say};
use crate::user;

/// How a profile is to be made and where it goes; its files have been looked at.
pub(crate) struct ProfilePlan {
    policy: Policy,
    environment: Environment,
    output: Output,
    compare: Option<ComparePlan>,
}

impl ProfilePlan {
    /// Reads BASE and finds out whether the output can be written. Without `-o`, it is standard output.
    pub(crate) fn resolve(args: &PolicyArgs, conditions: bool) -> anyhow::Result<Self> {
        let base = args.base.as_deref().map(read_base).transpose()?;
        let policy = Policy {
            base,
            baseline: args.runtime,
            errno: args.errno.map(Errnos::default_errno),
            eperm_known: args.errno.and_then(Errnos::known),
            conditions,
            ..Policy::default()
        };
        let stdout = PathBuf::from("-");
        let output = prepare_output(args.output.as_deref().unwrap_or(&stdout))?;
        let (environment, native) = args.environment.resolve()?;
        let compare = ComparePlan::resolve(&args.comparison, &environment, native, args.runtime)?;
        Ok(Self { policy, environment, output, compare })
    }

    /// Where the profile goes.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Compares with an existing profile, where that was asked for.
    pub(crate) fn compare(&self, recording: &Recording, quiet: bool) -> anyhow::Result<Found> {
        self.compare.as_ref().map_or(Ok(Found::Nothing), |plan| plan.report(recording, quiet))
    }

    /// Derives the profile, checks it and writes it.
    pub(crate) fn make(&self, recording: &Recording, quiet: bool) -> anyhow::Result<()> {
        let generated = generate(recording, &self.policy).context("cannot make a profile")?;
        let report = check_instances(&generated.profile, &generated.instances, &self.environment)
            .context("the profile failed its check and was not written")?;
        write(&self.output, generated.profile.to_json(), quiet)?;
        if !quiet {
            for sentence in generated.withheld(self.policy.base.as_ref(), &self.environment).sentences() {
                say!("{sentence}");
            }
            for warning in &generated.warnings {
                say!("warning: {warning}");
            }
            if !report.unknown_to_libseccomp.is_empty() {
                say!("warning: {}", unknown_names(&report));
            }
        }
        Ok(())
    }
}

/// Reads an existing profile.
pub(crate) fn read_base(path: &Path) -> anyhow::Result<Profile> {
    let shown = path.display();
    let text = read_text(path).with_context(|| format!("cannot read the profile {shown}"))?;
    Profile::from_json(&text).with_context(|| match text.contains("\"seccomp_trace_recording\"") {
        true => format!("{shown} is a recording and no profile: make one of it with seccomp-trace generate"),
        false => format!("cannot use {shown}"),
    })
}

/// More than any profile or recording is, and less than a machine has of memory.
const LARGEST: u64 = 256 << 20;

/// The text of a file, or with `-` of standard input.
pub(crate) fn read_text(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let mut limited: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(std::io::stdin()),
        false => Box::new(File::open(path)?),
    };
    let length = limited.by_ref().take(LARGEST + 1).read_to_string(&mut text)?;
    ensure!(length as u64 <= LARGEST, "it is larger than {} MiB", LARGEST >> 20);
    Ok(text)
}

/// Keeps a recording that could not be put where it belongs: the command may not be easy to run again.
pub(crate) fn rescue(recording: &Recording) {
    match seccomp_trace_profile::rescue(recording) {
        Ok(path) => {
            say!(
                "the recording is kept in {}; make a profile of it with seccomp-trace generate",
                path.display()
            );
        }
        // What is open can be written to.
        Err(error) => {
            say!("the recording cannot be kept in a file ({error}); this is it:");
            say::raw(&format!("{}\n", recording.to_json()));
        }
    }
}

/// Finds out whether a file can be written; under sudo a new one will belong to who called it.
pub(crate) fn prepare_output(path: &Path) -> anyhow::Result<Output> {
    Ok(Output::prepare(path, user::invoking_user())?)
}

/// Writes, and says so where the old content was not safe meanwhile.
pub(crate) fn write(output: &Output, content: impl AsRef<[u8]>, quiet: bool) -> anyhow::Result<()> {
    let written = output.write(content)?;
    if written == Written::InPlace && output.is_file() && !quiet {
        say!("{} cannot be replaced and was written in place", output.path().display());
    }
    Ok(())
}

/// Says loudly what a recording may be missing; with `strict` that is an error.
pub(crate) fn completeness(recording: &Recording, strict: bool) -> anyhow::Result<()> {
    let reasons = recording.losses().reasons();
    for reason in &reasons {
        say!("warning: possibly incomplete: {reason}");
    }
    ensure!(!strict || reasons.is_empty(), "the recording is possibly incomplete, which --strict forbids");
    Ok(())
}

/// What a runtime makes of names that its libseccomp does not know.
pub(crate) fn unknown_names(report: &CheckReport) -> String {
    let names: Vec<_> = report.unknown_to_libseccomp.iter().map(ToString::to_string).collect();
    format!(
        "this machine's libseccomp {} does not know {}: a runtime linked with it denies what the profile allows; \
         use a newer libseccomp",
        report.libseccomp,
        names.join(", ")
    )
}
