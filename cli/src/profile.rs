//! What `run` and `generate` share: from a recording to a checked profile in a file.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seccomp_trace_core::Recording;
use seccomp_trace_profile::{CheckReport, Environment, Output, Policy, Profile, Written, check, generate};

use crate::args::PolicyArgs;
use crate::user;

/// How a profile is to be made and where it goes; its files have been looked at.
pub(crate) struct ProfilePlan {
    policy: Policy,
    output: Output,
}

impl ProfilePlan {
    /// Reads BASE and finds out whether the output can be written. Without `-o`, it is standard output.
    pub(crate) fn resolve(args: &PolicyArgs) -> anyhow::Result<Self> {
        let base = args.base.as_deref().map(read_base).transpose()?;
        let policy = Policy { base, baseline: args.runtime, errno: args.errno, ..Policy::default() };
        let stdout = PathBuf::from("-");
        let output = prepare_output(args.output.as_deref().unwrap_or(&stdout))?;
        Ok(Self { policy, output })
    }

    /// Where the profile goes.
    pub(crate) fn path(&self) -> &Path {
        self.output.path()
    }

    /// Derives the profile, checks it and writes it.
    pub(crate) fn make(&self, recording: &Recording, quiet: bool) -> anyhow::Result<()> {
        let generated = generate(recording, &self.policy).context("cannot make a profile")?;
        let report = check(&generated.profile, &generated.added, &Environment::default())
            .context("the profile failed its check and was not written")?;
        write(&self.output, generated.profile.to_json(), quiet)?;
        if !quiet {
            for warning in &generated.warnings {
                eprintln!("seccomp-trace: warning: {warning}");
            }
            if !report.unknown_to_libseccomp.is_empty() {
                eprintln!("seccomp-trace: warning: {}", unknown_names(&report));
            }
        }
        Ok(())
    }
}

/// Reads an existing profile.
pub(crate) fn read_base(path: &Path) -> anyhow::Result<Profile> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the profile {shown}"))?;
    Profile::from_json(&text).with_context(|| format!("cannot use {shown}"))
}

/// Finds out whether a file can be written; under sudo a new one will belong to who called it.
pub(crate) fn prepare_output(path: &Path) -> anyhow::Result<Output> {
    Ok(Output::prepare(path, user::invoking_user())?)
}

/// Writes, and says so where the old content was not safe meanwhile.
pub(crate) fn write(output: &Output, content: impl AsRef<[u8]>, quiet: bool) -> anyhow::Result<()> {
    let written = output.write(content)?;
    if written == Written::InPlace && output.is_file() && !quiet {
        eprintln!("seccomp-trace: {} cannot be replaced and was written in place", output.path().display());
    }
    Ok(())
}

/// Says loudly what a recording may be missing; with `strict` that is an error.
pub(crate) fn completeness(recording: &Recording, strict: bool) -> anyhow::Result<()> {
    let reasons = recording.losses().reasons();
    for reason in &reasons {
        eprintln!("seccomp-trace: warning: possibly incomplete: {reason}");
    }
    ensure!(!strict || reasons.is_empty(), "the recording is possibly incomplete, which --strict forbids");
    Ok(())
}

/// What a runtime makes of names that its libseccomp does not know.
fn unknown_names(report: &CheckReport) -> String {
    let names: Vec<_> = report.unknown_to_libseccomp.iter().map(ToString::to_string).collect();
    format!(
        "this machine's libseccomp {} does not know {}: a runtime linked with it denies what the profile allows; \
         use a newer libseccomp",
        report.libseccomp,
        names.join(", ")
    )
}
