//! A container under observation by the shared instance.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use seccomp_trace_core::{Arch, Armed, Container, Ended, Host, Recording, Run, Runtime, Timestamp};

use super::lock::Lock;
use super::rooms::Room;
use super::state::{self, INSTANCE, InstanceFile, LAYOUT, TargetFile};
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
    shared: SharedDir,
    pub(crate) room: Room,
    pub(crate) slot: u16,
    pub(crate) file: TargetFile,
}

/// What became of [`SharedTarget::finish`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finished<T> {
    /// The target is done with, and this is what the caller made of its recording.
    Done(T),
    /// The container ended before it executed its program: there is nothing to make.
    NeverStarted,
    /// Another process has finished it.
    ByAnother,
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
        let counters = self.counters(&tables)?.unwrap_or_default();
        Ok(Progress {
            recording: self.recording(&tables, &counters)?,
            live: counters.live,
            started: counters.exec_ns != 0,
        })
    }

    /// Whether the container has ended, at least `grace` ago: time for who is told of its end to finish it.
    ///
    /// # Errors
    /// The instance cannot be read.
    pub fn is_over(&self, grace: Duration) -> Result<bool, Error> {
        let gone = self.init_is_gone();
        if gone == Some(false) || self.file.clock.now().since(self.file.started) < grace {
            return Ok(false);
        }
        let tables = self.tables()?;
        let Some(counters) = self.counters(&tables)? else { return Ok(true) };
        if counters.live == 0 {
            return Ok(u128::from(Clock::boot_ns().saturating_sub(counters.ended_ns)) >= grace.as_nanos());
        }
        // A task that exited while it was adopted may be counted for ever, so the tasks themselves are asked.
        if gone != Some(true) {
            return Ok(false);
        }
        let lock = self.shared.lock()?;
        let alive = self.seeder(&tables).and_then(|seeder| seeder.alive());
        self.shared.unlock(lock);
        Ok(alive? == 0)
    }

    /// Whether the process is gone that was the init. `None`: who is in another pid namespace cannot tell.
    fn init_is_gone(&self) -> Option<bool> {
        let start_time = self.file.start_time?;
        (self.file.pid_ns? == proc::pid_namespace()?)
            .then(|| proc::start_time(self.file.pid) != Some(start_time))
    }

    /// Ends observation: hands the recording, joined with those of the target's group, and the job to `write`, and
    /// gives the slot back. One process does this for a target, and one of a group at a time, whoever else tries; if
    /// it is killed, another can do it again.
    ///
    /// # Errors
    /// [`Error::PinsLost`]: the instance has ended, and the recording with it; the target is removed.
    /// [`Error::OtherVersion`]: it is another version's. [`Error::LockTimeout`]: somebody else holds on to it.
    pub fn finish<T>(
        self,
        write: impl FnOnce(&Recording, &serde_json::Value) -> T,
    ) -> Result<Finished<T>, Error> {
        let path = self.room.target_file(self.slot);
        let Some(held) = Lock::existing(&path)? else { return Ok(Finished::ByAnother) };
        // The slot may have got another target meanwhile.
        if state::read::<TargetFile>(&path)?.is_none_or(|file| file.run != self.file.run) {
            return Ok(Finished::ByAnother);
        }
        let tables = match self.tables() {
            Ok(tables) => tables,
            Err(error @ Error::PinsLost { .. }) => {
                self.forget()?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let finished = match self.counters(&tables)? {
            Some(counters) if counters.exec_ns != 0 => {
                let recording = self.recording(&tables, &counters)?;
                Finished::Done(self.join_group(recording, |recording| write(recording, &self.file.job))?)
            }
            _ => Finished::NeverStarted,
        };
        self.remove(&tables)?;
        drop(held);
        Ok(finished)
    }

    /// Adds a recording to the group's, and hands that on while nobody else of the group can.
    fn join_group<T>(&self, recording: Recording, write: impl FnOnce(&Recording) -> T) -> Result<T, Error> {
        let (lock, path) = self.group_files();
        let held = Lock::create(&lock)?;
        let failed = |doing| {
            let path = path.clone();
            move |source| Error::State { doing, path, source }
        };
        let mut joined = match fs::read_to_string(&path) {
            // What is there is ours, and whole; if it is neither, this target's recording stands alone.
            Ok(text) => Recording::from_json(&text).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Recording::default(),
            Err(error) => return Err(failed("read")(error)),
        };
        joined.merge(recording);
        let temporary = path.with_extension("new");
        fs::File::create(&temporary)
            .and_then(|mut file| file.write_all(joined.to_json().as_bytes()))
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(failed("write"))?;
        let result = write(&joined);
        drop(held);
        Ok(result)
    }

    /// The lock and the recording of the group.
    fn group_files(&self) -> (PathBuf, PathBuf) {
        let file = |extension: &str| self.shared.groups().join(format!("{}.{extension}", self.file.group));
        (file("lock"), file("json"))
    }

    /// The pinned iterators or, where the pins cannot be seen from here, new ones.
    fn seeder(&self, tables: &Tables) -> Result<Seeder, Error> {
        let pins = self.room.pins()?;
        match pins::are_visible(&pins) {
            true => Seeder::pinned(&pins, self.slot, self.file.generation),
            false => Seeder::load(tables, self.slot, self.file.generation, Kind::Container),
        }
    }

    fn tables(&self) -> Result<Tables, Error> {
        let lost = || Error::PinsLost { container: self.file.container.id.clone() };
        let instance: InstanceFile = state::read(&self.room.path.join(INSTANCE))?.ok_or_else(lost)?;
        if instance.layout != LAYOUT {
            return Err(Error::OtherVersion { container: self.file.container.id.clone() });
        }
        pins::open(&instance).map_err(|error| match &error {
            Error::Pin { source, .. } if source.kind() == libbpf_rs::ErrorKind::NotFound => lost(),
            _ => error,
        })
    }

    /// The slot's counters; `None` where the target was never armed.
    fn counters(&self, tables: &Tables) -> Result<Option<TargetCounters>, Error> {
        let counters = tables.counters(self.slot)?;
        Ok((counters.generation == self.file.generation).then_some(counters))
    }

    fn recording(&self, tables: &Tables, counters: &TargetCounters) -> Result<Recording, Error> {
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

    /// Gives the slot back; the last target takes the instance with it.
    fn remove(&self, tables: &Tables) -> Result<(), Error> {
        let lock = self.shared.lock()?;
        let result = self.remove_under(&lock, tables);
        self.shared.unlock(lock);
        result
    }

    pub(crate) fn remove_under(&self, lock: &Lock, tables: &Tables) -> Result<(), Error> {
        self.let_go(tables)?;
        self.forget_under(lock)
    }

    /// Lets go of all tasks, so that the slot can be given to another. The caller holds the shared lock.
    fn let_go(&self, tables: &Tables) -> Result<(), Error> {
        tables.close_entrances(self.slot)?;
        let live = self.counters(tables)?.is_some_and(|counters| counters.live != 0);
        tables.disarm(self.slot)?;
        if live {
            self.seeder(tables)?.evict_all()?;
        }
        Ok(())
    }

    /// Removes what is left of a target whose instance is gone.
    fn forget(&self) -> Result<(), Error> {
        let lock = self.shared.lock()?;
        let result = self.forget_under(&lock);
        self.shared.unlock(lock);
        result
    }

    fn forget_under(&self, lock: &Lock) -> Result<(), Error> {
        let path = self.room.target_file(self.slot);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(|source| Error::State { doing: "remove", path, source })?,
        }
        if self.shared.targets()?.iter().all(|other| other.file.group != self.file.group) {
            let (lock, recording) = self.group_files();
            for path in [recording.with_extension("new"), recording, lock] {
                let _ = fs::remove_file(path);
            }
        }
        self.room.remove_if_empty(&self.shared, lock)?;
        Ok(())
    }
}
