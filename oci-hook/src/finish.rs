//! From a container that has ended to its profile.

use anyhow::Context;
use seccomp_trace_bpf::shared::{Finished, SharedTarget};
use seccomp_trace_core::Recording;
use seccomp_trace_profile::{Job, rescue};
use serde::Deserialize;
use serde_json::Value;

use crate::log::Log;

/// Ends observation and writes what was asked for. The target is gone afterwards, unless its recording could be kept
/// nowhere else.
pub(crate) fn finish(target: SharedTarget, log: Log) -> anyhow::Result<()> {
    let id = target.container().id.clone();
    let mut failed = None;
    let finished = target.finish(|recording, job| match write(recording, job, log) {
        Err(error) if is_kept(recording, log) => {
            failed = Some(error);
            Ok(())
        }
        other => other,
    });
    if let Some(error) = failed {
        if let Err(later) = finished {
            log.error(format_args!("{:#}", anyhow::Error::new(later)));
        }
        return Err(error);
    }
    match finished? {
        Finished::Done(()) => Ok(()),
        Finished::Kept(error) => Err(error.context(format!(
            "the profile of container {id} is still to be written, by seccomp-trace cleanup or the next hook"
        ))),
        Finished::NeverStarted => {
            log.info(format_args!(
                "container {id} ended before it executed its program: no profile was written"
            ));
            Ok(())
        }
        _ => {
            log.info(format_args!("container {id} is finished already"));
            Ok(())
        }
    }
}

/// Whether a recording that could not be made a profile of is kept in a file, which is said.
fn is_kept(recording: &Recording, log: Log) -> bool {
    let kept = rescue(recording);
    if let Ok(path) = &kept {
        log.error(format_args!(
            "the recording is kept in {}; make a profile of it with seccomp-trace generate",
            path.display()
        ));
    }
    kept.is_ok()
}

/// Writes the results of a recording, and says what is to be known about them.
pub(crate) fn write(recording: &Recording, job: &Value, log: Log) -> anyhow::Result<()> {
    let job = Job::deserialize(job).context("cannot understand what was to be done with the recording")?;
    for reason in recording.losses().reasons() {
        log.error(format_args!("the recording is possibly incomplete: {reason}"));
    }
    log.info(format_args!("Writing seccomp profile to {:?}", job.output));
    let report = job.finish(recording)?;
    for sentence in report.withheld.sentences() {
        log.error(format_args!("{sentence}"));
    }
    for warning in &report.warnings {
        log.info(format_args!("warning: {warning}"));
    }
    for call in &report.check.unknown_to_libseccomp {
        log.info(format_args!(
            "warning: libseccomp {} does not know {call}: a runtime that is linked with it denies the call",
            report.check.libseccomp
        ));
    }
    log.info(format_args!("BPF program has finished"));
    Ok(())
}
