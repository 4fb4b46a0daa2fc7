//! Everything that can go wrong while observing.

use std::io;

use crate::config::Refusal;
use crate::launch::LaunchError;

/// Why a target could not be observed, or an observation not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This machine, or this process on it, cannot trace. The text has a remedy.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The kernel refused the programs, for a reason that the probes do not explain.
    #[error("cannot load the BPF programs{}", shown(log))]
    Load {
        /// The kernel's or libbpf's answer.
        source: libbpf_rs::Error,
        /// libbpf's last words.
        log: Vec<String>,
    },
    /// A program could be loaded and not be attached.
    #[error("cannot attach the BPF program {program}")]
    Attach {
        /// The program.
        program: &'static str,
        /// The kernel's answer.
        source: libbpf_rs::Error,
    },
    /// A map could not be read or written.
    #[error("cannot access the BPF map {map}")]
    Map {
        /// The map.
        map: &'static str,
        /// The kernel's answer.
        source: libbpf_rs::Error,
    },
    /// Every slot of this instance has a target.
    #[error("all {slots} slots of this tracer are in use; load another tracer for more targets")]
    SlotsTaken {
        /// How many it has.
        slots: u16,
    },
    /// There is no such process, or it is another's thread.
    #[error("cannot observe process {pid}")]
    NoProcess {
        /// The process.
        pid: u32,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The process is a member of another target of this tracer.
    #[error("process {pid} is already observed by this tracer")]
    AlreadyObserved {
        /// The process.
        pid: u32,
    },
    /// The process and its tasks kept changing so fast that they could not all be found.
    #[error("process {pid} creates tasks faster than they can be found; observe it from its start instead")]
    Unseedable {
        /// The process.
        pid: u32,
    },
    /// This kind of target is not one that eBPF observes.
    #[error("this kind of target cannot be observed with eBPF")]
    UnknownTarget,
    /// The command was not started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A call of the operating system failed that has no reason to.
    #[error("cannot {what}")]
    System {
        /// What was being done.
        what: &'static str,
        /// The answer.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: the system call that failed while doing `what`.
    pub(crate) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { what, source: source.into() }
    }

    /// For `map_err`: an access to `map` that failed.
    pub(crate) fn map(map: &'static str) -> impl FnOnce(libbpf_rs::Error) -> Self {
        move |source| Self::Map { map, source }
    }
}

fn shown(log: &[String]) -> String {
    log.iter().map(|line| format!("\n  {line}")).collect()
}
