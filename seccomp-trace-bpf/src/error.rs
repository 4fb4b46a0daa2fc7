//! Everything that can go wrong while observing.

use std::io;
use std::path::PathBuf;

use seccomp_trace_core::Denials;

use crate::access::AccessError;
use crate::cgroups::CgroupError;
use crate::config::Refusal;
use crate::launch::LaunchError;
use crate::live::ViewError;

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
    /// It is a thread of a process, and processes are observed as a whole.
    #[error("cannot observe process {tid}: it is a thread of process {pid}; name that one")]
    Thread {
        /// What was named.
        tid: u32,
        /// Its process.
        pid: u32,
    },
    /// There is no such process.
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
    /// The live view cannot be shown.
    #[error(transparent)]
    View(#[from] ViewError),
    /// The caller may not attach to a target.
    #[error("may not attach to {target}")]
    Access {
        /// Which.
        target: String,
        /// Why not, and what to do.
        source: AccessError,
    },
    /// A path that should be a cgroup.
    #[error("cannot observe the cgroup {}", path.display())]
    Cgroup {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        source: CgroupError,
    },
    /// A cgroup or a container was to be observed by a tracer that was not loaded for it.
    #[error("this tracer was loaded without what cgroups and containers need; load it with cgroups(true)")]
    WithoutCgroups,
    /// This kind of target is not one that eBPF observes.
    #[error("this kind of target cannot be observed with eBPF")]
    UnknownTarget,
    /// The command was not started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The command was not started, and calls had been denied by then: perhaps its execve.
    #[error("the command was not started")]
    LaunchDenied {
        /// Why.
        source: LaunchError,
        /// The calls.
        denials: Denials,
    },
    /// A process that should be a container's init cannot be followed as one.
    #[error("process {pid} is not seen by the kernel as the init of a container")]
    NoInit {
        /// The process.
        pid: u32,
    },
    /// There is no place for pins.
    #[error(
        "cannot mount a BPF file system at {}; mount the system's: mount -t bpf bpf /sys/fs/bpf",
        path.display()
    )]
    NoBpffs {
        /// Where.
        path: PathBuf,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The shared instance could not be pinned, or not be found by its pins.
    #[error("cannot use the pins in {}", path.display())]
    Pin {
        /// The directory.
        path: PathBuf,
        /// The kernel's answer.
        source: libbpf_rs::Error,
    },
    /// The shared instance is gone.
    #[error(
        "the recording of container {container} is lost: the instance that made it is gone, by force or with the mount \
         namespace that it was pinned in; run the container again"
    )]
    PinsLost {
        /// The container.
        container: String,
    },
    /// The shared instance was loaded by another version.
    #[error(
        "container {container} is observed by another version of this program; finish it with that version's \
         `seccomp-trace cleanup`"
    )]
    OtherVersion {
        /// The container.
        container: String,
    },
    /// Two containers want one place and different things there.
    #[error(
        "{key} is already the output of container {container}, with another input or other options; give each its \
         own output, or the same options"
    )]
    OtherTerms {
        /// The place.
        key: String,
        /// Who has it.
        container: String,
    },
    /// Two containers of different outputs want one place for something else.
    #[error(
        "{key} is already written for container {container}, whose output is another file; give each its own"
    )]
    PlaceTaken {
        /// The place.
        key: String,
        /// Who has it.
        container: String,
    },
    /// Somebody held a lock for too long.
    #[error("cannot get the lock {} within ten seconds; if its holder hangs, end it", path.display())]
    LockTimeout {
        /// The lock.
        path: PathBuf,
    },
    /// A file of the shared directory.
    #[error("cannot {doing} {}", path.display())]
    State {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// A file of the shared directory that is not as it was written.
    #[error("cannot understand {}", path.display())]
    StateFormat {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        source: serde_json::Error,
    },
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
