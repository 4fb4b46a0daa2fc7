//! An instance that outlives the process that loaded it: pinned, and found again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use libbpf_rs::{Link, MapHandle, MapInfo, ProgramHandle};
use std::os::fd::AsFd;

use super::state::{InstanceFile, make_directory};
use crate::Error;
use crate::array::{Array, LargeArray};
use crate::instance::Loaded;
use crate::skipped::{Spared, spare_name};
use crate::tables::Tables;

/// The maps that a recording is made of, by the names of their pins.
const MAPS: [&str; 11] = [
    "tasks",
    "targets",
    "seen",
    "first",
    "counts",
    "captures",
    "values",
    "odd",
    "entrances",
    "globals",
    "seeding",
];
/// The programs that must be attached for an instance to be whole, and whose misses are losses.
const PROGRAMS: [&str; 5] = ["on_newtask", "on_exit", "on_exec", "on_cgroup_attach", "on_sys_enter"];

/// The kernel's ids of what was pinned.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) maps: BTreeMap<String, u32>,
    pub(crate) programs: BTreeMap<String, u32>,
}

/// Pins an instance into a new directory, the links last.
pub(crate) fn pin(loaded: &mut Loaded, directory: &Path) -> Result<Ids, Error> {
    let failed = |source| Error::Pin { path: directory.to_owned(), source };
    make_directory(directory).map_err(|source| failed(source.into()))?;
    let mut ids = Ids::default();
    for (name, map) in MAPS.into_iter().zip(loaded.tables.maps_mut()) {
        map.pin(directory.join(format!("map_{name}"))).map_err(failed)?;
        let info = MapInfo::new(map.as_fd()).map_err(failed)?;
        ids.maps.insert(name.to_owned(), info.info.id);
    }
    for spared in &mut loaded.tables.programs {
        for (name, program) in spared.names().zip([Some(&mut spared.program), spared.spare.as_mut()]) {
            let Some(program) = program else { continue };
            program.pin(directory.join(format!("program_{name}"))).map_err(failed)?;
            ids.programs.insert(name, program.id());
        }
    }
    for (name, link) in &mut loaded.links {
        link.pin(directory.join(format!("link_{name}"))).map_err(failed)?;
    }
    Ok(ids)
}

/// Whether all programs of the instance are attached, as far as its pins can be seen from here.
pub(crate) fn are_visible(directory: &Path) -> bool {
    PROGRAMS.iter().all(|name| fs::symlink_metadata(directory.join(format!("link_{name}"))).is_ok())
}

/// Whether the programs are attached: a pin can be there and its link have been detached by force.
pub(crate) fn are_attached(directory: &Path) -> bool {
    PROGRAMS.iter().all(|name| Link::open(directory.join(format!("link_{name}"))).is_ok())
}

/// Handles to an instance by its pins or, where they cannot be seen, by the kernel's ids.
pub(crate) fn open(instance: &InstanceFile) -> Result<Tables, Error> {
    let failed = |source| Error::Pin { path: instance.pins.clone(), source };
    let visible = are_visible(&instance.pins);
    let unknown = || libbpf_rs::Error::from(io::Error::from(io::ErrorKind::NotFound));
    let map = |name: &str| match instance.maps.get(name) {
        _ if visible => MapHandle::from_pinned_path(instance.pins.join(format!("map_{name}"))),
        Some(id) => MapHandle::from_map_id(*id),
        None => Err(unknown()),
    };
    let array = |name: &'static str| Array::new(map(name).map_err(failed)?, name);
    let program = |name: &str| match instance.programs.get(name) {
        _ if visible => ProgramHandle::from_pinned_path(instance.pins.join(format!("program_{name}"))),
        Some(id) => ProgramHandle::from_prog_id(*id),
        None => Err(unknown()),
    };
    let spared = |name: &'static str| {
        let spare = spare_name(name);
        let spare = instance.programs.contains_key(&spare).then(|| program(&spare)).transpose()?;
        Ok(Spared { name, program: program(name)?, spare })
    };
    Ok(Tables {
        count_calls: false,
        tasks: map("tasks").map_err(failed)?,
        targets: array("targets")?,
        seen: array("seen")?,
        first: LargeArray::new(map("first").map_err(failed)?, "first"),
        counts: map("counts").map_err(failed)?,
        captures: array("captures")?,
        values: map("values").map_err(failed)?,
        odd: map("odd").map_err(failed)?,
        entrances: map("entrances").map_err(failed)?,
        globals: array("globals")?,
        seeding: array("seeding")?,
        programs: PROGRAMS.into_iter().map(spared).collect::<Result<_, _>>().map_err(failed)?,
    })
}

/// Removes the pins, and with them the programs, unless somebody else has handles to them.
pub(crate) fn unpin(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
