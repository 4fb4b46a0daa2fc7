//! An instance that the processes of many containers' hooks share, and that needs none of them to live.
//!
//! The first hook loads the programs and pins them; others join. Recording goes on while no process of ours exists. The
//! last target that is finished takes the instance with it. What the processes must know of each other is in files of
//! a [`SharedDir`], under locks that end with their holders.

mod bpffs;
pub(crate) mod cgroup;
mod finish;
mod lock;
mod observe;
mod pins;
pub(crate) mod proc;
mod rooms;
mod state;
mod target;

use std::fs;
use std::path::{Path, PathBuf};

use bpffs::Bpffs;
pub use cgroup::leave as leave_cgroups;
pub use finish::Finished;
use lock::Lock;
pub use observe::ContainerSpec;
use rooms::Room;
use seccomp_trace_core::Timestamp;
pub use target::{Progress, SharedTarget};

use crate::Error;

/// The directory that hooks share: [`STATE_DIR`] unless told otherwise. It is made when it is needed, and gone
/// when the last target is finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedDir {
    path: PathBuf,
}

/// An instance as [`SharedDir::instances`] lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceInfo {
    /// Its name, which is also in the name of its pins' directory.
    pub id: String,
    /// The directory of its pins.
    pub pins: PathBuf,
    /// When it was loaded.
    pub loaded: Timestamp,
    /// How many targets it has room for.
    pub slots: u16,
    /// How many it has.
    pub targets: usize,
    /// Whether its pins can be seen from the caller's mount namespace.
    pub visible: bool,
}

/// What [`SharedDir::survey`] finds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Survey {
    /// What is under observation by this version.
    pub targets: Vec<SharedTarget>,
    /// What could not be understood: [`Error::OtherVersion`] for containers that another version observes,
    /// [`Error::StateFormat`] for damaged files.
    pub troubles: Vec<Error>,
}

/// Where hooks keep what they share unless they are told otherwise.
pub const STATE_DIR: &str = "/run/seccomp-trace";

impl SharedDir {
    /// The directory at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that is not finished yet, in no particular order. What one file has wrong does not hide the others.
    ///
    /// # Errors
    /// The directory cannot be read. A target that goes meanwhile is no error.
    pub fn survey(&self) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        for room in self.rooms()? {
            let ours = room.is_ours();
            for (slot, path) in room.target_files()? {
                match rooms::target(&path, ours) {
                    Ok(Some(file)) => {
                        survey.targets.push(SharedTarget::new(self.clone(), room.clone(), slot, file));
                    }
                    Ok(None) => {}
                    Err(error) => survey.troubles.push(error),
                }
            }
        }
        Ok(survey)
    }

    /// The instances that are loaded.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn instances(&self) -> Result<Vec<InstanceInfo>, Error> {
        let mut instances = Vec::new();
        for room in self.rooms()? {
            // One that cannot be read is being made, or another version's.
            let Some(file) = room.instance() else { continue };
            instances.push(InstanceInfo {
                id: room.id().to_owned(),
                visible: pins::are_visible(&file.pins),
                pins: file.pins,
                loaded: file.loaded,
                slots: file.slots,
                targets: room.target_files()?.len(),
            });
        }
        Ok(instances)
    }

    /// Removes what processes that were killed leave: instances without a target, targets that cannot be understood, and
    /// the directory itself.
    ///
    /// # Errors
    /// The directory cannot be read or locked.
    pub fn tidy(&self) -> Result<(), Error> {
        if !self.path.exists() {
            return Ok(());
        }
        self.locked(|lock| {
            self.rooms()?.iter().try_for_each(|room| {
                room.remove_damaged()?;
                room.remove_if_empty(self, lock)
            })
        })
    }

    /// Does something under the lock on what instances there are and who has which slot, and removes the directory
    /// if nothing is left in it then that anybody needs.
    fn locked<T>(&self, work: impl FnOnce(&Lock) -> Result<T, Error>) -> Result<T, Error> {
        let lock = Lock::create(&self.path.join("lock"))?;
        let result = work(&lock);
        if self.rooms().is_ok_and(|rooms| rooms.is_empty()) {
            // What cannot be removed is in somebody's use, or nobody's to remove.
            Bpffs::unmount(&self.path);
            let _ = fs::remove_dir_all(self.groups());
            let _ = lock.remove();
            let _ = fs::remove_dir(&self.path);
        }
        result
    }

    /// Where the recordings of targets that share a place are kept until the last of them is finished.
    fn groups(&self) -> PathBuf {
        self.path.join("groups")
    }

    /// The directories of instances.
    fn rooms(&self) -> Result<Vec<Room>, Error> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(Error::State { doing: "read", path: self.path.clone(), source }),
        };
        let mut rooms: Vec<Room> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                path.file_name()?.to_str()?.starts_with(rooms::PREFIX).then_some(Room { path })
            })
            .collect();
        rooms.sort();
        Ok(rooms)
    }
}
