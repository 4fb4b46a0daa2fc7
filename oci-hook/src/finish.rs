//! From a container that has ended to its profile.

use anyhow::Context;
use seccomp_trace_bpf::shared::{Finished, SharedTarget};
use seccomp_trace_core::Recording;
use seccomp_trace_profile::{Job, rescue};
use serde::Deserialize;
use serde_json::Value;

use crate::log::Log;

/// Ends observation and writes what was asked for. The target is gone afterwards, whether that could be written or not.
pub(crate) fn finish(target: SharedTarget, log: Log) -> anyhow::Result<()> {
    let id = target.container().id.clone();
    match target.finish(|recording, job| write(recording, job, log))? {
        Finished::Done(result) => result,
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

/// Writes the results of a recording, and says what is to be known about them.
pub(crate) fn write(recording: &Recording, job: &Value, log: Log) -> anyhow::Result<()> {
    let job = Job::deserialize(job).context("cannot understand what was to be done with the recording")?;
    for reason in recording.losses().reasons() {
        log.error(format_args!("the recording is possibly incomplete: {reason}"));
    }
    log.info(format_args!("Writing seccomp profile to {:?}", job.output));
    let report = match job.finish(recording) {
        Ok(report) => report,
        Err(error) => {
            if let Ok(path) = rescue(recording) {
                log.error(format_args!(
                    "the recording is kept in {}; make a profile of it with seccomp-trace generate",
                    path.display()
                ));
            }
            return Err(error.into());
        }
    };
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
