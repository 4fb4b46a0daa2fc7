//! What a runtime keeps of one container: who its init is.

use std::io;
use std::path::PathBuf;

use serde::Deserialize;

/// The folder of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StateDir {
    pub(super) id: String,
    pub(super) runtime: &'static str,
    path: PathBuf,
}

/// A container's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Init {
    pub(super) pid: u32,
    /// In clock ticks after boot.
    pub(super) start_time: u64,
}

/// `status` of crun: `libcrun/status.c`.
#[derive(Deserialize)]
struct Crun {
    pid: u32,
    #[serde(rename = "process-start-time")]
    start_time: u64,
}

/// `state.json` of runc: `BaseState` in `libcontainer/container.go`.
#[derive(Deserialize)]
struct Runc {
    init_process_pid: u32,
    init_process_start: u64,
}

/// `state.json` of youki: `libcontainer/src/container/state.rs`. It does not keep when the process was started.
#[derive(Deserialize)]
struct Youki {
    pid: u32,
}

impl StateDir {
    /// `None` where a folder's name is no id that can be shown.
    pub(super) fn new(runtime: &'static str, path: PathBuf) -> Option<Self> {
        let id = path.file_name()?.to_str()?.to_owned();
        path.is_dir().then_some(Self { id, runtime, path })
    }

    /// The file that tells.
    pub(super) fn file(&self) -> PathBuf {
        self.path.join(if self.runtime == "crun" { "status" } else { "state.json" })
    }

    /// Who init is, or was.
    pub(super) fn read(&self) -> io::Result<Init> {
        let text = std::fs::read_to_string(self.file())?;
        let init = match self.runtime {
            "crun" => serde_json::from_str(&text).map(|Crun { pid, start_time }| Init { pid, start_time }),
            "youki" => serde_json::from_str(&text).map(|Youki { pid }| Init {
                pid,
                start_time: crate::shared::proc::start_time(pid).unwrap_or_default(),
            }),
            _ => serde_json::from_str(&text).map(|state: Runc| Init {
                pid: state.init_process_pid,
                start_time: state.init_process_start,
            }),
        };
        init.map_err(io::Error::from)
    }
}
