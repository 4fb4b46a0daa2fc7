//! What is to be made of a recording, decided before it is made and carried out by whoever is there when it ends.

use std::collections::BTreeSet;
use std::path::PathBuf;

use seccomp_trace_core::{Arch, Recording, Run};
use serde::{Deserialize, Serialize};

use crate::{
    Baseline, CheckReport, Environment, Errnos, ExportError, ExportOptions, Format, Generated, Output,
    OutputError, Policy, Profile, ProfileError, SettledOutput, Warning, Withheld, Written, check_instances,
    export, generate,
};

/// What is to be made of a recording, and where it goes: a [`Policy`] and files, as data that another process can read.
///
/// The base profile is part of it, word for word: the file that it came from may be gone when the recording ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Job {
    /// Where the profile goes: a regular file, or the place for one. Settled by [`Job::prepare`].
    pub output: PathBuf,
    /// Where the recording goes, if it is to be kept; as `output`.
    pub recording: Option<PathBuf>,
    /// The text of the profile to extend.
    pub base: Option<String>,
    /// The runtimes that the profile must be able to start a container with, as [`Baseline`] reads them; `None`: those
    /// that the recording is of, all where that is not known.
    pub baseline: Option<String>,
    /// What denied calls fail with, as [`Errnos`] reads it.
    pub errno: Option<String>,
    /// The form of the profile, as [`Format`] reads it; `None`: the base's, or the one with reasons in comments.
    pub format: Option<String>,
}

/// Why a job cannot be done, or was not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The base, or an option, is not valid.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The profile that was made failed its check, and was not written.
    #[error("the profile failed its check and was not written")]
    Check(#[source] ProfileError),
    /// The base cannot be extended to a profile that runtimes take.
    #[error("no profile can be made from this base")]
    Base(#[source] Box<JobError>),
    /// The profile cannot be put into the wanted form.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A file cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// No form is known by this name in which a profile is read again.
    #[error("unknown format {0:?} for a profile (expected oci or docker)")]
    NoProfileFormat(String),
    /// What is to be written is no file.
    #[error("cannot write {}: it is not a regular file", .0.display())]
    NoFile(PathBuf),
    /// Both files are one.
    #[error("the profile and the recording are to go to the same file, {}", .0.display())]
    SameFile(PathBuf),
}

/// What was written, and what is to be known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct JobReport {
    /// How the profile was written.
    pub written: Written,
    /// What was recorded and is not allowed.
    pub withheld: Withheld,
    /// What the user should know.
    pub warnings: Vec<Warning>,
    /// What the check found.
    pub check: CheckReport,
    /// The number of calls that were recorded in the workload.
    pub calls: usize,
}

/// A profile that was found good.
struct Made {
    generated: Generated,
    policy: Policy,
    environment: Environment,
    check: CheckReport,
    text: Vec<u8>,
}

impl Job {
    /// A profile without a base for any runtime, and no recording.
    #[must_use]
    pub fn new(output: impl Into<PathBuf>) -> Self {
        Self { output: output.into(), recording: None, base: None, baseline: None, errno: None, format: None }
    }

    /// Finds out whether the job can be done, as far as that can be known before there is a recording, and puts the
    /// files that the paths lead to now in their place: whatever links are made later is not followed. Changes no
    /// file.
    ///
    /// # Errors
    /// [`JobError`]: what would fail later.
    pub fn prepare(&mut self) -> Result<(), JobError> {
        self.format()?;
        if self.base.is_some() {
            self.make(&Recording::default()).map_err(|error| JobError::Base(Box::new(error)))?;
        } else {
            self.policy()?;
        }
        let output = Output::prepare(&self.output, None)?;
        if let Some(path) = &mut self.recording {
            let recording = Output::prepare(path, None)?;
            if recording.is_same_place(&output) {
                return Err(JobError::SameFile(path.clone()));
            }
            *path = settle(&recording)?;
        }
        self.output = settle(&output)?;
        Ok(())
    }

    /// Writes the recording, if it is wanted, and the profile. That one of them fails does not keep the other from
    /// being written.
    ///
    /// # Errors
    /// [`JobError`]: the profile's, else the recording's. A file that could not be written is as it was.
    pub fn finish(&self, recording: &Recording) -> Result<JobReport, JobError> {
        let kept = match &self.recording {
            Some(path) => {
                SettledOutput::open(path).and_then(|file| file.write(recording.to_json()).map(drop))
            }
            None => Ok(()),
        };
        let report = self.write_profile(recording)?;
        kept?;
        Ok(report)
    }

    fn write_profile(&self, recording: &Recording) -> Result<JobReport, JobError> {
        let Made { generated, policy, environment, check, text } = self.make(recording)?;
        Ok(JobReport {
            written: SettledOutput::open(&self.output)?.write(text)?,
            withheld: generated.withheld(policy.base.as_ref(), &environment),
            warnings: generated.warnings,
            check,
            calls: recording.syscalls(seccomp_trace_core::Phase::Workload).count(),
        })
    }

    fn make(&self, recording: &Recording) -> Result<Made, JobError> {
        let mut policy = self.policy()?;
        if self.baseline.is_none() {
            policy.baseline = observed(recording);
        }
        let generated = generate(recording, &policy)?;
        let environment = Environment::default();
        let check = check_instances(&generated.profile, &generated.instances, &environment)
            .map_err(JobError::Check)?;
        let text = match (self.format()?, native(recording)) {
            (Some(format), Some(native)) => {
                export(&generated.profile, format, &ExportOptions::new(native))?.bytes
            }
            _ => generated.profile.to_json().into_bytes(),
        };
        Ok(Made { generated, policy, environment, check, text })
    }

    fn policy(&self) -> Result<Policy, ProfileError> {
        let errnos = self.errno.as_deref().map(str::parse::<Errnos>).transpose()?;
        Ok(Policy {
            base: self.base.as_deref().map(Profile::from_json).transpose()?,
            baseline: self.baseline.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            errno: errnos.map(Errnos::default_errno),
            eperm_known: errnos.and_then(Errnos::known),
            ..Policy::default()
        })
    }

    fn format(&self) -> Result<Option<Format>, JobError> {
        let Some(text) = &self.format else { return Ok(None) };
        let format: Option<Format> = text.parse().ok().filter(|format: &Format| format.is_profile());
        format.map(Some).ok_or_else(|| JobError::NoProfileFormat(text.clone()))
    }
}

/// The file that an output leads to, by a path without links.
fn settle(output: &Output) -> Result<PathBuf, JobError> {
    let no_file = || JobError::NoFile(output.path().to_owned());
    let target = output.target().filter(|_| output.is_file()).ok_or_else(no_file)?;
    let (directory, name) = target.parent().zip(target.file_name()).ok_or_else(no_file)?;
    let resolved =
        directory.canonicalize().map_err(|source| OutputError { path: target.to_owned(), source })?;
    Ok(resolved.join(name))
}

/// The baseline of the runtime that all runs had; of all runtimes where they had several, or one that is not known.
fn observed(recording: &Recording) -> Baseline {
    let name = |run: &Run| run.runtime.as_ref().map(|runtime| runtime.name.clone());
    let names: BTreeSet<Option<String>> = recording.runs().values().map(name).collect();
    match names.into_iter().collect::<Vec<_>>().as_slice() {
        [Some(one)] => one.parse().unwrap_or_default(),
        _ => Baseline::default(),
    }
}

/// The ABI of the machine that was recorded on.
fn native(recording: &Recording) -> Option<Arch> {
    recording.runs().values().next().map(|run| run.host.arch).or_else(Arch::native)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use seccomp_trace_core::{
        Armed, Ended, Host, Losses, Observation, Phase, RunId, Runtime, Syscall, Timestamp,
    };

    use super::*;

    fn recording() -> Recording {
        let mut recording = Recording::default();
        for name in ["openat", "mkdir"] {
            let call = Syscall::from_name(Arch::X86_64, name).unwrap();
            recording.observe(call, Phase::Workload, Observation::default());
        }
        recording
    }

    /// An error with its sources.
    fn chain(error: &dyn std::error::Error) -> String {
        std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }

    /// The file with the base may be gone, or another one, when the recording ends.
    #[test]
    fn the_base_is_what_it_was_when_the_job_was_made() {
        let folder = tempfile::tempdir().unwrap();
        let base = r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}"#;
        let job = Job { base: Some(base.to_owned()), ..Job::new(folder.path().join("p.json")) };
        let mut job: Job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
        job.prepare().unwrap();
        let report = job.finish(&recording()).unwrap();
        assert_eq!(report.withheld.denied.len(), 1, "mkdir stays blocked");
        let written = Profile::from_json(&fs::read_to_string(&job.output).unwrap()).unwrap();
        assert_eq!(written.rules()[0].names().collect::<Vec<_>>(), ["mkdir"]);
        assert!(written.rules()[1..].iter().all(|rule| rule.names().all(|name| name != "mkdir")));
    }

    #[test]
    fn what_would_fail_at_the_end_is_found_before() {
        let folder = tempfile::tempdir().unwrap();
        let job = || Job::new(folder.path().join("p.json"));
        let path = job().output;
        let base = |part: &str| {
            format!(
                r#"{{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "syscalls":
                [{{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", {part}}}]}}"#
            )
        };
        let wrong = [
            (Job { base: Some("{}".to_owned()), ..job() }, "not a seccomp profile"),
            (
                Job { base: Some(base(r#""errnoRet": 99999"#)), ..job() },
                "no profile can be made from this base",
            ),
            (Job { base: Some(base(r#""args": 7"#)), ..job() }, "not a seccomp profile"),
            (Job { baseline: Some("lxc".to_owned()), ..job() }, "unknown runtime"),
            (Job { errno: Some("E".to_owned()), ..job() }, "unknown error number"),
            (Job { format: Some("bpf".to_owned()), ..job() }, "unknown format"),
            (Job { recording: Some(path), ..job() }, "the same file"),
            (Job::new(folder.path().join("missing/p.json")), "cannot write"),
            (Job::new("/dev/null"), "not a regular file"),
            (Job::new("-"), "not a regular file"),
        ];
        for (mut job, expected) in wrong {
            let error = chain(&job.prepare().unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
    }

    /// Two containers of two runtimes can have one output.
    #[test]
    fn the_baseline_is_that_of_the_runtimes_that_were_seen() {
        let with = |runtimes: &[Option<&str>]| {
            let mut recording = recording();
            for (index, runtime) in runtimes.iter().enumerate() {
                let now = Timestamp::from_unix_nanos(0);
                let run = Run {
                    tool: String::new(),
                    host: Host { kernel: String::new(), arch: Arch::X86_64 },
                    runtime: runtime.map(|name| Runtime { name: name.to_owned(), version: None }),
                    container: None,
                    command: None,
                    started: now,
                    until: now,
                    armed: Armed::BeforeExec,
                    ended: Ended::TargetEnded,
                    processes: 1,
                    losses: Losses::default(),
                };
                recording.merge(Recording::of_run(RunId(index.to_string()), run));
            }
            observed(&recording)
        };
        assert_eq!(with(&[Some("crun"), Some("crun")]), Baseline::Crun);
        assert_eq!(with(&[Some("runc")]), Baseline::Runc);
        for several in [&[Some("crun"), Some("runc")][..], &[Some("crun"), None], &[Some("youki")], &[]] {
            assert_eq!(with(several), Baseline::Any, "{several:?}");
        }
    }

    /// The directory may belong to whoever is recorded.
    #[test]
    fn links_are_followed_when_the_job_is_prepared_and_not_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().canonicalize().unwrap().join(name);
        fs::create_dir(path("d")).unwrap();
        std::os::unix::fs::symlink("d/p.json", path("link")).unwrap();
        let mut job = Job::new(path("link"));
        job.prepare().unwrap();
        assert_eq!(job.output, path("d/p.json"));
        std::os::unix::fs::symlink("../victim", path("d/p.json")).unwrap();
        assert!(matches!(job.finish(&recording()), Err(JobError::Output(_))));
        assert!(!path("victim").exists());
    }

    #[test]
    fn a_recording_that_cannot_be_kept_does_not_cost_the_profile() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("full");
        let mut job = Job { recording: Some(kept.clone()), ..Job::new(folder.path().join("p.json")) };
        job.prepare().unwrap();
        std::os::unix::fs::symlink("/dev/full", &kept).unwrap();
        assert!(matches!(job.finish(&recording()), Err(JobError::Output(_))));
        assert!(Profile::from_json(&fs::read_to_string(&job.output).unwrap()).is_ok());
    }
}
