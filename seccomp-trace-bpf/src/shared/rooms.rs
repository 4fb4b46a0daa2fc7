//! The directory of one instance: its description, and a file for each target.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use seccomp_trace_core::{Container, Timestamp};

use super::bpffs::{Bpffs, PINS};
use super::lock::Lock;
use super::state::{self, INSTANCE, InstanceFile, LAYOUT, TargetFile, make_directory};
use super::{SharedDir, cgroup, pins, proc};
use crate::Error;
use crate::instance::{Config, Loaded};
use crate::libbpf::blame_few_files;
use crate::provenance::run_id;
use crate::seed::{Kind, Seeder};
use crate::tables::Tables;

/// What the names of instances begin with.
pub(crate) const PREFIX: &str = "instance-";
/// Targets of one instance; more get another. A slot takes about 190 KiB of kernel memory.
const SLOTS: u16 = 64;

/// The directory of an instance. Everything here is done under the shared directory's lock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Room {
    pub(crate) path: PathBuf,
}

impl Room {
    /// The instance's name.
    pub(crate) fn id(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// The file of the target in a slot.
    pub(crate) fn target_file(&self, slot: u16) -> PathBuf {
        self.path.join(format!("{slot}.json"))
    }

    /// The targets' files, by their slots.
    pub(crate) fn target_files(&self) -> Result<Vec<(u16, PathBuf)>, Error> {
        let failed = |source| Error::State { doing: "read", path: self.path.clone(), source };
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(Ok(slot)) = name.strip_suffix(".json").map(str::parse) {
                files.push((slot, path));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Its description. `None`: there is none yet, or it is another version's that we do not understand.
    pub(crate) fn instance(&self) -> Option<InstanceFile> {
        state::read(&self.path.join(INSTANCE)).ok().flatten()
    }

    /// Whether this version made it.
    pub(crate) fn is_ours(&self) -> bool {
        self.instance().is_some_and(|file| file.layout == LAYOUT)
    }

    /// The directory of its pins.
    pub(crate) fn pins(&self) -> Result<PathBuf, Error> {
        let path = self.path.join(INSTANCE);
        let missing = || Error::State { doing: "read", path, source: io::ErrorKind::NotFound.into() };
        self.instance().map(|file| file.pins).ok_or_else(missing)
    }

    /// Removes targets of this version whose files cannot be understood: nobody will.
    pub(crate) fn remove_damaged(&self) -> Result<(), Error> {
        let Some(instance) = self.instance().filter(|file| file.layout == LAYOUT) else { return Ok(()) };
        for (slot, path) in self.target_files()? {
            if let Err(Error::StateFormat { .. }) = target(&path, true) {
                let tables = pins::open(&instance)?;
                let generation = tables.counters(slot).generation;
                tables.close_entrances(slot)?;
                Seeder::load(&tables, slot, generation, Kind::Container)?.evict_all()?;
                tables.disarm(slot);
                fs::remove_file(&path).map_err(|source| Error::State { doing: "remove", path, source })?;
            }
        }
        Ok(())
    }

    /// Finds an instance that can take one more target from here, or loads one. Returns a free slot with it.
    pub(crate) fn take(shared: &SharedDir, _lock: &Lock) -> Result<(Self, Tables, u16), Error> {
        for room in shared.rooms()? {
            let taken = room.target_files()?;
            let Some(file) = room.instance() else {
                // Whoever was loading it was killed; or it is another version's, and has targets.
                if taken.is_empty() {
                    room.remove(&pins_of(shared, &room));
                }
                continue;
            };
            let free = (0..file.slots).find(|slot| taken.iter().all(|(used, _)| used != slot));
            if let (true, Some(slot), true) = (file.layout == LAYOUT, free, pins::are_attached(&file.pins)) {
                return Ok((room, pins::open(&file)?, slot));
            }
        }
        let (room, tables) = Self::load(shared)?;
        Ok((room, tables, 0))
    }

    fn load(shared: &SharedDir) -> Result<(Self, Tables), Error> {
        cgroup::leave();
        let room = Self { path: shared.path.join(format!("{PREFIX}{}", run_id()?)) };
        let bpffs = Bpffs::find_or_mount(&shared.path)?;
        make_directory(&room.path).map_err(|source| Error::State {
            doing: "create",
            path: room.path.clone(),
            source,
        })?;
        let pinned = pin_directory(&bpffs.path, &room);
        let loaded = room.load_into(&pinned);
        if loaded.is_err() {
            room.remove(std::slice::from_ref(&pinned));
        }
        Ok((room, loaded?))
    }

    fn load_into(&self, pinned: &Path) -> Result<Tables, Error> {
        let config =
            Config { slots: SLOTS, record: true, count_calls: false, containers: true, cgroups: false };
        let mut loaded = Loaded::load(config, None).map_err(blame_few_files)?;
        let ids = pins::pin(&mut loaded, pinned)?;
        let file = InstanceFile {
            layout: LAYOUT.to_owned(),
            pins: pinned.to_owned(),
            slots: SLOTS,
            maps: ids.maps,
            programs: ids.programs,
            boot: proc::boot_id(),
            loaded: Timestamp::now(),
        };
        state::write(&self.path.join(INSTANCE), &file)?;
        Ok(loaded.tables)
    }

    /// Removes the instance if it has no target any more, and the shared directory with the last one.
    pub(crate) fn remove_if_empty(&self, shared: &SharedDir, _lock: &Lock) -> Result<(), Error> {
        if self.target_files()?.is_empty() {
            match self.instance() {
                Some(file) => self.remove(&[file.pins]),
                None => self.remove(&pins_of(shared, self)),
            }
        }
        Ok(())
    }

    /// Removes pins and files. What cannot be removed from here is in another mount namespace, and ends with it.
    fn remove(&self, pinned: &[PathBuf]) {
        for directory in pinned {
            let _ = pins::unpin(directory);
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// What a target's file says; `ours`: this version has made its instance. `None`: it is gone.
pub(crate) fn target(path: &Path, ours: bool) -> Result<Option<TargetFile>, Error> {
    /// What every version's file has.
    #[derive(serde::Deserialize)]
    struct Known {
        container: Container,
    }
    if ours {
        return state::read(path);
    }
    let known = state::read::<Known>(path)?;
    known.map_or(Ok(None), |known| Err(Error::OtherVersion { container: known.container.id }))
}

fn pin_directory(bpffs: &Path, room: &Room) -> PathBuf {
    bpffs.join(format!("{PINS}{}", room.id().trim_start_matches(PREFIX)))
}

/// Where the pins of an instance without a description can be.
fn pins_of(shared: &SharedDir, room: &Room) -> [PathBuf; 2] {
    [Path::new("/sys/fs/bpf"), &Bpffs::own(&shared.path)].map(|bpffs| pin_directory(bpffs, room))
}
