//! Provenance: which run of which program a recording comes from.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Arch, Armed, Ended, Losses, Timestamp};

/// The identity of one run: unique among all runs on all machines (a random UUID).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The machine that a run was recorded on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// `uname -r`.
    pub kernel: String,
    /// The ABI of the kernel's native code.
    pub arch: Arch,
}

/// The OCI runtime that started a container.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runtime {
    /// `crun`, `runc`, `youki`.
    pub name: String,
    /// Its version, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The container that was recorded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The id that the engine gave it.
    pub id: String,
    /// The image, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

/// The command that was recorded, as text; bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program.
    pub program: String,
    /// Its arguments, kept only on request: they may hold secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
}

/// One run: what was observed where, from when to when, and what may be missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Name and version of the program that recorded it.
    pub tool: String,
    /// The machine.
    pub host: Host,
    /// The OCI runtime, for a container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// The container, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The command, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// When tracing was armed.
    pub started: Timestamp,
    /// When observation ended or, while it goes on, when this was read.
    pub until: Timestamp,
    /// When tracing was armed, relative to the target's exec.
    pub armed: Armed,
    /// Why observation ended.
    pub ended: Ended,
    /// Processes that were followed.
    pub processes: u64,
    /// What may be missing.
    pub losses: Losses,
}

impl Run {
    /// Joins two views of the same run. Counters and times only grow, so the larger of each is the later one;
    /// what is text is the same in both, and where it is not the larger wins, so that the order is no matter.
    pub(crate) fn join(&mut self, other: Self) {
        self.tool = std::mem::take(&mut self.tool).max(other.tool);
        self.host = self.host.clone().max(other.host);
        self.runtime = self.runtime.take().max(other.runtime);
        self.container = self.container.take().max(other.container);
        self.command = self.command.take().max(other.command);
        self.started = self.started.min(other.started);
        self.until = self.until.max(other.until);
        self.armed = self.armed.max(other.armed);
        self.ended = self.ended.max(other.ended);
        self.processes = self.processes.max(other.processes);
        self.losses = self.losses.max(other.losses);
    }
}
