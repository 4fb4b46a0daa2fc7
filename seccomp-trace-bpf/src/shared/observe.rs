//! Puts a container under observation, by joining the shared instance or loading it.

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::unistd::Pid;
use seccomp_trace_core::{Captures, Command, Container, Phase, RunId, Runtime, Tgid};

use super::cgroup::Own;
use super::lock::Lock;
use super::rooms::Room;
use super::state::{self, TargetFile};
use super::{SharedDir, SharedTarget, proc};
use crate::Error;
use crate::clock::Clock;
use crate::config::refuse;
use crate::launch::pidfd_open;
use crate::probe::Facts;
use crate::provenance::{random_u32, run_id};
use crate::seed::Seeder;
use crate::tables::{Tables, TargetConfig};

/// A container whose init waits for its filter and its exec, as it does while its hooks run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use]
pub struct ContainerSpec {
    /// Its id and image.
    pub container: Container,
    /// The bundle's directory: with the id it tells containers of different engines apart.
    pub bundle: PathBuf,
    /// Its init, in the caller's pid namespace.
    pub pid: Tgid,
    /// The runtime that starts it, for the recording.
    pub runtime: Option<Runtime>,
    /// The command that it will execute, for the recording.
    pub command: Option<Command>,
    /// Which argument of which calls is captured.
    pub captures: Captures,
    /// Names the place that its result goes to. Targets with the same key that are under observation at the same time
    /// share one recording, and must have the same terms.
    pub group_key: String,
    /// Other places that results of the group go to. No other group may have one of them, or of this as its key.
    pub side_keys: Vec<String>,
    /// What all targets of a group must agree on.
    pub terms: serde_json::Value,
    /// What is to be done with the recording, handed back by [`SharedTarget::finish`].
    pub job: serde_json::Value,
}

impl ContainerSpec {
    /// A container that is the only one of its group, with nothing to be done.
    pub fn new(id: impl Into<String>, bundle: impl Into<PathBuf>, pid: Tgid) -> Self {
        let id = id.into();
        Self {
            group_key: id.clone(),
            container: Container { id, image: None },
            bundle: bundle.into(),
            pid,
            runtime: None,
            command: None,
            captures: Captures::new(),
            side_keys: Vec::new(),
            terms: serde_json::Value::Null,
            job: serde_json::Value::Null,
        }
    }
}

impl SharedDir {
    /// Puts a container under observation. When this returns, every call that its init and its descendants make is
    /// being recorded, and so are processes that enter it; no process of ours is needed for that.
    ///
    /// A process that loads the instance leaves its cgroups first, where it may: what it makes in the kernel is not the
    /// engine's to pay for.
    ///
    /// # Errors
    /// [`Error::Refused`] where this machine or process cannot trace; [`Error::NoProcess`], [`Error::NoInit`] and
    /// [`Error::AlreadyObserved`] for a process that is no container's init; [`Error::OtherTerms`] where a container of
    /// the same group is under observation on other terms, [`Error::PlaceTaken`] where one of another group has one of its
    /// places; [`Error::NoBpffs`], [`Error::Pin`], [`Error::State`]
    /// where nothing can be kept. The container is then not observed, and nothing is left behind.
    pub fn observe(&self, spec: ContainerSpec) -> Result<SharedTarget, Error> {
        if let Some(refusal) = refuse(&Facts::read()) {
            return Err(refusal.into());
        }
        let init = Init::find(spec.pid)?;
        self.locked(|lock| self.observe_under(lock, spec, &init))
    }

    fn observe_under(&self, lock: &Lock, spec: ContainerSpec, init: &Init) -> Result<SharedTarget, Error> {
        let run = run_id()?;
        let group = self.group_of(&spec, &run)?;
        let (room, tables, slot) = Room::take(self, lock)?;
        let clock = Clock::read();
        let file = TargetFile {
            container: spec.container,
            bundle: spec.bundle,
            run,
            generation: random_u32()?.max(1),
            pid: spec.pid.0,
            start_time: proc::start_time(spec.pid.0),
            pid_ns: proc::pid_namespace(),
            runtime: spec.runtime,
            command: spec.command,
            clock,
            started: clock.now(),
            losses_before: tables.losses()?,
            captures: spec.captures,
            group,
            group_key: spec.group_key,
            side_keys: spec.side_keys,
            terms: spec.terms,
            job: spec.job,
        };
        // Written before anything is armed: whoever finds it can finish it, should we be killed.
        state::write(&room.target_file(slot), &file)?;
        let mut target = SharedTarget::new(self.clone(), room, slot, file);
        let armed = init.arm(&tables, &target).and_then(|()| tables.losses());
        match armed {
            Ok(losses) if losses == target.file.losses_before => {}
            Ok(losses) => {
                // Not its own: its init waits for this hook. Where this cannot be written, too much is said to be lost.
                target.file.losses_before = losses;
                let _ = state::write(&target.room.target_file(slot), &target.file);
            }
            Err(error) => {
                target.remove_under(lock, &tables)?;
                return Err(error);
            }
        }
        Ok(target)
    }

    /// The group that a new target joins: that of a target with the same key, or one of its own.
    fn group_of(&self, spec: &ContainerSpec, run: &RunId) -> Result<RunId, Error> {
        let ours = || std::iter::once(&spec.group_key).chain(&spec.side_keys);
        let mut group = None;
        for other in self.survey()?.targets {
            let TargetFile { container, group_key, side_keys, .. } = other.file;
            if group_key == spec.group_key {
                if other.file.terms != spec.terms {
                    return Err(Error::OtherTerms { key: group_key, container: container.id });
                }
                group.get_or_insert(other.file.group);
            } else if let Some(key) = ours().find(|key| **key == group_key || side_keys.contains(key)) {
                return Err(Error::PlaceTaken { key: key.clone(), container: container.id });
            }
        }
        Ok(group.unwrap_or_else(|| run.clone()))
    }
}

/// A container's init, and which of its cgroups are its own.
struct Init {
    pid: Tgid,
    pidfd: OwnedFd,
    own: Own,
}

impl Init {
    fn find(pid: Tgid) -> Result<Self, Error> {
        let no_process = |source| Error::NoProcess { pid: pid.0, source };
        let raw = i32::try_from(pid.0).map_err(|_| no_process(Errno::ESRCH.into()))?;
        let pidfd = pidfd_open(Pid::from_raw(raw)).map_err(no_process)?;
        Ok(Self { pid, pidfd, own: Own::of_process(pid)? })
    }

    fn arm(&self, tables: &Tables, target: &SharedTarget) -> Result<(), Error> {
        let (slot, generation) = (target.slot, target.file.generation);
        let config = TargetConfig { events: false, captures: target.file.captures.clone() };
        tables.begin(slot, generation, &config)?;
        tables.arm(self.pidfd.as_fd(), slot, generation, Phase::Setup).map_err(|source| {
            match source.kind() {
                libbpf_rs::ErrorKind::AlreadyExists => Error::AlreadyObserved { pid: self.pid.0 },
                libbpf_rs::ErrorKind::NotFound => {
                    Error::NoProcess { pid: self.pid.0, source: Errno::ESRCH.into() }
                }
                _ => Error::Map { map: "tasks", source },
            }
        })?;
        let seeder = Seeder::pinned(&target.room.pins()?, slot, generation)?;
        let place = seeder.adopt_all()?.ok_or(Error::Unseedable { pid: self.pid.0 })?;
        if place.leader == 0 {
            return Err(Error::NoInit { pid: self.pid.0 });
        }
        tables.open_entrances(slot, generation, &self.own.entrances(&place, proc::mount_namespace()))
    }
}
