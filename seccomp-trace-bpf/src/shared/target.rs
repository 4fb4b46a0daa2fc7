//! A container under observation by the shared instance.

use std::path::Path;
use std::time::Duration;

use seccomp_trace_core::{Arch, Armed, Container, Ended, Host, Recording, Run, Runtime, Tgid, Timestamp};

use super::lock::Lock;
use super::rooms::Room;
use super::state::{LAYOUT, TargetFile};
use super::{SharedDir, pins, proc};
use crate::clock::Clock;
use crate::probe::Facts;
use crate::provenance::{TOOL, losses};
use crate::seed::{Kind, Seeder};
use crate::tables::Tables;
use crate::wire::TargetCounters;
use crate::{Error, snapshot};

/// A container under observation by the shared instance. Dropping it changes nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedTarget {
    pub(super) shared: SharedDir,
    pub(crate) room: Room,
    pub(crate) slot: u16,
    pub(crate) file: TargetFile,
}

/// How far a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Everything seen so far.
    pub recording: Recording,
    /// Tasks that have not ended.
    pub live: u64,
    /// Whether the container has executed its program.
    pub started: bool,
}

impl SharedTarget {
    pub(crate) fn new(shared: SharedDir, room: Room, slot: u16, file: TargetFile) -> Self {
        Self { shared, room, slot, file }
    }

    /// The container.
    #[must_use]
    pub fn container(&self) -> &Container {
        &self.file.container
    }

    /// Its bundle's directory.
    #[must_use]
    pub fn bundle(&self) -> &Path {
        &self.file.bundle
    }

    /// Its runtime, where it is known.
    #[must_use]
    pub fn runtime(&self) -> Option<&Runtime> {
        self.file.runtime.as_ref()
    }

    /// When it was armed.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.file.started
    }

    /// What is to be done with its recording.
    #[must_use]
    pub fn job(&self) -> &serde_json::Value {
        &self.file.job
    }

    /// The instance's name.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.room.id()
    }

    /// What has been seen so far.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub fn progress(&self) -> Result<Progress, Error> {
        let tables = self.tables()?;
        let counters = self.counters(&tables).unwrap_or_default();
        Ok(Progress {
            recording: self.recording(&tables, &counters)?,
            live: counters.live,
            started: counters.exec_ns != 0,
        })
    }

    /// How many tasks have not ended.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub fn live(&self) -> Result<u64, Error> {
        Ok(self.counters(&self.tables()?).unwrap_or_default().live)
    }

    /// Whether the container has ended, at least `grace` ago: time for who is told of its end to finish it; and nobody
    /// is about it just now.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub fn is_over(&self, grace: Duration) -> Result<bool, Error> {
        let gone = self.init_lives().map(|lives| !lives);
        if gone == Some(false) || Lock::is_held(&self.room.target_file(self.slot)) {
            return Ok(false);
        }
        let tables = self.tables()?;
        let Some(counters) = self.counters(&tables) else { return Ok(true) };
        if gone == Some(true) && counters.exec_ns == 0 {
            // It never executed its program: nobody has anything to write.
            return Ok(true);
        }
        if self.file.clock.now().since(self.file.started) < grace {
            return Ok(false);
        }
        if counters.live == 0 {
            return Ok(u128::from(Clock::boot_ns().saturating_sub(counters.ended_ns)) >= grace.as_nanos());
        }
        // A task that exited while it was adopted may be counted for ever, so the tasks themselves are asked.
        if gone != Some(true) {
            return Ok(false);
        }
        self.shared.locked(|_| Ok(self.seeder(&tables)?.alive()? == 0))
    }

    /// Whether the container's init lives. `None`: who is in another pid namespace cannot tell.
    #[must_use]
    pub fn init_lives(&self) -> Option<bool> {
        let start_time = self.file.start_time?;
        (self.file.pid_ns? == proc::pid_namespace()?).then(|| proc::lives(self.file.pid, start_time))
    }

    /// Whether this is the container that `pid`, in the caller's pid namespace, is the init of.
    #[must_use]
    pub fn is_of(&self, pid: Tgid) -> bool {
        self.file.pid == pid.0 && self.init_lives() == Some(true)
    }

    /// The pinned iterators or, where the pins cannot be seen from here, new ones.
    pub(super) fn seeder(&self, tables: &Tables) -> Result<Seeder, Error> {
        let pins = self.room.pins()?;
        match pins::are_visible(&pins) {
            true => Seeder::pinned(&pins, self.slot, self.file.generation),
            false => Seeder::load(tables, self.slot, self.file.generation, Kind::Container),
        }
    }

    pub(super) fn tables(&self) -> Result<Tables, Error> {
        let lost = || Error::PinsLost { container: self.file.container.id.clone() };
        let instance = self.room.instance().ok_or_else(lost)?;
        if instance.layout != LAYOUT {
            return Err(Error::OtherVersion { container: self.file.container.id.clone() });
        }
        // The ids of another boot are somebody else's now.
        if instance.boot != proc::boot_id() {
            return Err(lost());
        }
        pins::open(&instance).map_err(|error| match &error {
            Error::Pin { source, .. } if source.kind() == libbpf_rs::ErrorKind::NotFound => lost(),
            _ => error,
        })
    }

    /// The slot's counters; `None` where the target was never armed.
    pub(super) fn counters(&self, tables: &Tables) -> Option<TargetCounters> {
        let counters = tables.counters(self.slot);
        (counters.generation == self.file.generation).then_some(counters)
    }

    pub(super) fn recording(&self, tables: &Tables, counters: &TargetCounters) -> Result<Recording, Error> {
        let clock = self.file.clock;
        let run = Run {
            tool: TOOL.to_owned(),
            host: Host { kernel: Facts::read().kernel, arch: Arch::native().ok_or(Error::UnknownTarget)? },
            runtime: self.file.runtime.clone(),
            container: Some(self.file.container.clone()),
            command: self.file.command.clone(),
            started: self.file.started,
            until: if counters.ended_ns == 0 { clock.now() } else { clock.wall(counters.ended_ns) },
            armed: Armed::BeforeExec,
            ended: if counters.live == 0 { Ended::TargetEnded } else { Ended::Interrupted },
            processes: counters.processes,
            losses: losses(tables, self.slot, &self.file.losses_before)?,
        };
        let mut recording = Recording::of_run(self.file.run.clone(), run);
        snapshot::read(tables, self.slot, clock, &mut recording)?;
        Ok(recording)
    }
}
