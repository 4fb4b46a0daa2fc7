//! `seccomp-trace status` and `seccomp-trace cleanup`: what hooks have under observation, and what they left.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use seccomp_trace_bpf::shared::{Finished, STATE_DIR, SharedDir, SharedTarget};
use seccomp_trace_core::{Recording, Timestamp};
use seccomp_trace_profile::{Job, rescue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exit::Exit;
use crate::profile;
use crate::say::{self, out, say};

/// Where hooks keep what they share.
#[derive(Debug, Args)]
struct StateDirArgs {
    /// The directory that the hooks were told with --state-dir
    #[arg(long, value_name = "DIR", default_value = STATE_DIR)]
    state_dir: PathBuf,
}

/// `status`
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    shared: StateDirArgs,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// `cleanup`
#[derive(Debug, Args)]
pub(crate) struct CleanupArgs {
    #[command(flatten)]
    shared: StateDirArgs,
    /// Finish all containers, also those that run: what they do from then on is not recorded
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Serialize)]
struct Status {
    instances: Vec<InstanceStatus>,
    targets: Vec<TargetStatus>,
    /// What could not be understood: another version's, or damaged.
    troubles: Vec<String>,
}

#[derive(Debug, Serialize)]
struct InstanceStatus {
    id: String,
    pins: PathBuf,
    visible: bool,
    loaded: Timestamp,
    slots: u16,
    targets: usize,
}

#[derive(Debug, Serialize)]
struct TargetStatus {
    container: String,
    runtime: Option<String>,
    instance: String,
    armed: Timestamp,
    age_seconds: u64,
    output: Option<PathBuf>,
    /// What the kernel says; `None` where it cannot be asked.
    #[serde(flatten)]
    seen: Option<Seen>,
    trouble: Option<String>,
}

#[derive(Debug, Serialize)]
struct Seen {
    executed: bool,
    live_tasks: u64,
    syscalls: usize,
    complete: bool,
}

/// Runs `seccomp-trace status`.
pub(crate) fn status(args: &StatusArgs) -> anyhow::Result<Exit> {
    let shared = SharedDir::new(&args.shared.state_dir);
    let survey = shared.survey()?;
    let status = Status {
        instances: shared
            .instances()?
            .into_iter()
            .map(|instance| InstanceStatus {
                id: instance.id,
                pins: instance.pins,
                visible: instance.visible,
                loaded: instance.loaded,
                slots: instance.slots,
                targets: instance.targets,
            })
            .collect(),
        targets: survey.targets.iter().map(target_status).collect(),
        troubles: survey
            .troubles
            .into_iter()
            .map(|error| format!("{:#}", anyhow::Error::new(error)))
            .collect(),
    };
    if args.json {
        say::document(&serde_json::to_string_pretty(&status)?);
    } else {
        print(&status);
    }
    Ok(Exit::SUCCESS)
}

fn target_status(target: &SharedTarget) -> TargetStatus {
    let progress = target.progress();
    let (progress, trouble) = match progress {
        Ok(progress) => (Some(progress), None),
        Err(error) => (None, Some(format!("{:#}", anyhow::Error::new(error)))),
    };
    TargetStatus {
        container: target.container().id.clone(),
        runtime: target.runtime().map(|runtime| runtime.name.clone()),
        instance: target.instance().to_owned(),
        armed: target.started(),
        age_seconds: Timestamp::now().since(target.started()).as_secs(),
        output: Job::deserialize(target.job()).ok().map(|job| job.output),
        seen: progress.map(|progress| Seen {
            executed: progress.started,
            live_tasks: progress.live,
            syscalls: progress.recording.calls().len(),
            complete: progress.recording.losses().is_none(),
        }),
        trouble,
    }
}

fn print(status: &Status) {
    for trouble in &status.troubles {
        say!("{trouble}");
    }
    if status.instances.is_empty() && status.targets.is_empty() && status.troubles.is_empty() {
        say!("no container is under observation");
        return;
    }
    for instance in &status.instances {
        let unseen = if instance.visible { "" } else { " (in another mount namespace)" };
        out!(
            "{}: {} of {} slots, loaded {}, pins in {}{unseen}",
            instance.id,
            instance.targets,
            instance.slots,
            instance.loaded,
            instance.pins.display()
        );
    }
    for target in &status.targets {
        let output = target.output.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let seen = match (&target.seen, &target.trouble) {
            (Some(seen), _) => format!(
                "{} syscalls, {} tasks{}{}",
                seen.syscalls,
                seen.live_tasks,
                if seen.executed { "" } else { ", not executed yet" },
                if seen.complete { "" } else { ", possibly incomplete" }
            ),
            (None, trouble) => trouble.clone().unwrap_or_default(),
        };
        out!(
            "  {} ({}), {} s: {seen} -> {output}",
            target.container,
            target.runtime.as_deref().unwrap_or("unknown runtime"),
            target.age_seconds
        );
    }
}

/// Runs `seccomp-trace cleanup`: each target is finished, and what fails of one does not keep the others from it.
pub(crate) fn cleanup(args: &CleanupArgs) -> anyhow::Result<Exit> {
    let shared = SharedDir::new(&args.shared.state_dir);
    let mut status = Exit::SUCCESS;
    let survey = shared.survey()?;
    for trouble in survey.troubles {
        say!("{:#}", anyhow::Error::new(trouble));
        status = Exit::TROUBLE;
    }
    for target in survey.targets {
        let id = target.container().id.clone();
        let result = match args.all || target.is_over(Duration::ZERO).unwrap_or(true) {
            true => finish(target),
            false => {
                say!("container {id} runs: left alone (--all finishes it)");
                Ok(())
            }
        };
        if let Err(error) = result {
            say!("container {id}: {error:#}");
            status = Exit::TROUBLE;
        }
    }
    shared.tidy()?;
    Ok(status)
}

fn finish(target: SharedTarget) -> anyhow::Result<()> {
    let id = target.container().id.clone();
    let mut failed = None;
    let finished = target.finish(|recording, job| match write(recording, job) {
        Err(error) if is_kept(recording) => {
            failed = Some(error);
            Ok(())
        }
        other => other.map(|path| say!("container {id}: {}", path.display())),
    });
    if let Some(error) = failed {
        if let Err(later) = finished {
            say!("container {id}: {:#}", anyhow::Error::new(later));
        }
        return Err(error);
    }
    match finished? {
        Finished::Done(()) => Ok(()),
        Finished::Kept(error) => Err(error.context("its profile is still to be written: try again")),
        Finished::NeverStarted => {
            say!("container {id} never executed its program: no profile was written");
            Ok(())
        }
        _ => {
            say!("container {id} was finished by its hook");
            Ok(())
        }
    }
}

/// Whether a recording that could not be made a profile of is kept in a file, which is said.
fn is_kept(recording: &Recording) -> bool {
    let kept = rescue(recording);
    if let Ok(path) = &kept {
        say!("the recording is kept in {}", path.display());
    }
    kept.is_ok()
}

fn write(recording: &Recording, job: &Value) -> anyhow::Result<PathBuf> {
    let job = Job::deserialize(job).context("cannot understand what was to be done with the recording")?;
    profile::completeness(recording, false)?;
    let report = job.finish(recording)?;
    report.withheld.sentences().for_each(|sentence| say!("{sentence}"));
    for warning in &report.warnings {
        say!("warning: {warning}");
    }
    if !report.check.unknown_to_libseccomp.is_empty() {
        say!("warning: {}", profile::unknown_names(&report.check));
    }
    Ok(job.output)
}
