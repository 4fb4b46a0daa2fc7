//! The end of a target: what was recorded is handed on, once, and the slot given back.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use seccomp_trace_core::Recording;

use super::lock::Lock;
use super::state::{self, TargetFile};
use super::target::SharedTarget;
use crate::Error;
use crate::tables::Tables;

/// What became of [`SharedTarget::finish`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finished<T, E> {
    /// The target is done with, and this is what the caller made of its recording.
    Done(T),
    /// The caller could make nothing of the recording, which stays where it was: the target can be finished later.
    Kept(E),
    /// The container ended before it executed its program: there is nothing to make.
    NeverStarted,
    /// Another process has finished it.
    ByAnother,
}

impl SharedTarget {
    /// Ends observation: hands the recording, joined with those of the target's group, and the job to `write`, and
    /// gives the slot back, unless that fails. One process does this for a target, and one of a group at a time, whoever
    /// else tries; if it is killed, another can do it again.
    ///
    /// # Errors
    /// [`Error::PinsLost`]: the instance has ended, and the recording with it; the target is removed.
    /// [`Error::OtherVersion`]: it is another version's. [`Error::LockTimeout`]: somebody else holds on to it.
    pub fn finish<T, E>(
        self,
        write: impl FnOnce(&Recording, &serde_json::Value) -> Result<T, E>,
    ) -> Result<Finished<T, E>, Error> {
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
        let finished = match self.counters(&tables) {
            Some(counters) if counters.exec_ns != 0 => {
                let recording = self.recording(&tables, &counters)?;
                match self.join_group(recording, |recording| write(recording, &self.file.job))? {
                    Ok(made) => Finished::Done(made),
                    Err(error) => return Ok(Finished::Kept(error)),
                }
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
        let held = match Lock::create(&lock) {
            Err(Error::State { source, .. }) => Err(source),
            other => Ok(other?),
        };
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
        let kept = held
            .as_ref()
            .map_err(|error| error.kind().into())
            .and_then(|_| fs::File::create(&temporary))
            .and_then(|mut file| file.write_all(joined.to_json().as_bytes()))
            .and_then(|()| fs::rename(&temporary, &path));
        if kept.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        // That there is no room here is no reason not to write there.
        let result = write(&joined);
        drop(held);
        kept.map_err(failed("write"))?;
        Ok(result)
    }

    /// The lock and the recording of the group.
    fn group_files(&self) -> (PathBuf, PathBuf) {
        let file = |extension: &str| self.shared.groups().join(format!("{}.{extension}", self.file.group));
        (file("lock"), file("json"))
    }

    /// Gives the slot back; the last target takes the instance with it.
    fn remove(&self, tables: &Tables) -> Result<(), Error> {
        self.shared.locked(|lock| self.remove_under(lock, tables))
    }

    pub(crate) fn remove_under(&self, lock: &Lock, tables: &Tables) -> Result<(), Error> {
        self.let_go(tables)?;
        self.forget_under(lock)
    }

    /// Lets go of all tasks, so that the slot can be given to another. The caller holds the shared lock.
    fn let_go(&self, tables: &Tables) -> Result<(), Error> {
        tables.close_entrances(self.slot)?;
        if self.counters(tables).is_some_and(|counters| counters.live != 0) {
            self.seeder(tables)?.evict_all()?;
        }
        // Last: who finds it done takes all of this for done.
        tables.disarm(self.slot);
        Ok(())
    }

    /// Removes what is left of a target whose instance is gone.
    fn forget(&self) -> Result<(), Error> {
        self.shared.locked(|lock| self.forget_under(lock))
    }

    fn forget_under(&self, lock: &Lock) -> Result<(), Error> {
        let path = self.room.target_file(self.slot);
        let others = self.shared.survey()?.targets;
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other.map_err(|source| Error::State { doing: "remove", path, source })?,
        }
        let is_last = |other: &Self| other.file.run == self.file.run || other.file.group != self.file.group;
        if others.iter().all(is_last) {
            let (lock, recording) = self.group_files();
            for path in [recording.with_extension("new"), recording, lock] {
                let _ = fs::remove_file(path);
            }
        }
        self.room.remove_if_empty(&self.shared, lock)
    }
}
