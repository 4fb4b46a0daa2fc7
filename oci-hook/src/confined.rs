//! Giving up what a process of the hook needs no more.

use seccomp_trace_profile::confine::{Needs, confine};

use crate::log::Log;

/// What finishing a container takes.
const FINISHING: Needs = Needs { signals: false, files: true, log: true, shared: true };

/// What is left to do for who has attached to a process.
const TRACING: Needs = Needs { shared: false, ..FINISHING };

/// For a process that waits for a container's end, or finishes it.
pub(crate) fn finishing(log: Log) {
    // What it reads is opened later, so there is nothing to try now: these capabilities are enough on every kernel.
    give_up(FINISHING, || true, log);
}

/// For a process that has attached, with what it reads.
pub(crate) fn tracing(readable: impl Fn() -> bool, log: Log) {
    give_up(TRACING, readable, log);
}

/// What cannot be given up is told, and no reason to lose a recording.
fn give_up(needs: Needs, readable: impl Fn() -> bool, log: Log) {
    if let Err(error) = confine(needs, readable) {
        let error = anyhow::Error::new(error);
        log.error(format_args!("this process keeps more privileges than it needs: {error:#}"));
    }
}
