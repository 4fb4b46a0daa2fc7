//! The hook under test: where it is, which of its processes live, and what it leaves behind.

mod killer;
mod random;

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub use killer::{Killed, Killer, Victim};
pub use random::Random;

use crate::{copy_programs, oci_hook};

/// A copy of the hook that one environment alone runs: its processes are known by their executable.
#[derive(Debug)]
pub struct Hook {
    path: PathBuf,
}

impl Hook {
    /// Copies the hook into a folder.
    #[must_use]
    pub fn copy_into(folder: &Path) -> Self {
        let path = folder.join("oci-seccomp-bpf-hook");
        copy_programs(&[oci_hook()], &path);
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its processes, in every pid namespace that we see.
    #[must_use]
    pub fn processes(&self) -> Vec<Pid> {
        let entries = fs::read_dir("/proc").expect("a proc file system");
        let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        numbers.map(Pid::from_raw).filter(|pid| self.is_executed_by(*pid)).collect()
    }

    /// Whether a process, dead or alive but not yet gone, executes it. A zombie executes nothing.
    fn is_executed_by(&self, pid: Pid) -> bool {
        fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == self.path)
    }

    /// Kills what still runs of it.
    pub(crate) fn kill_all(&self) {
        for pid in self.processes() {
            let _ = kill(pid, Signal::SIGKILL);
        }
    }
}

/// What the hook has left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Its processes.
    pub processes: Vec<Pid>,
    /// Mount points in its state folder.
    pub mounts: Vec<String>,
    /// Pins at `/sys/fs/bpf`.
    pub pins: Vec<String>,
    /// What is in its state folder, which itself is something left.
    pub state: Option<Vec<String>>,
    /// Files in the folder of the profiles that are no profiles.
    pub files: Vec<String>,
}

impl Left {
    /// Panics unless nothing is left.
    pub fn nothing(&self) {
        assert_eq!(*self, Self::default(), "the hook has left something behind");
    }
}
