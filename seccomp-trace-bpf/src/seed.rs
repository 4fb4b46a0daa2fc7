//! Walks over the tasks that exist already: puts those of a target under observation, counts them, lets them go.

use std::io::Read;
use std::mem::{MaybeUninit, offset_of};
use std::os::fd::AsFd;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, MapHandle};

use crate::libbpf::{load_error, quiet_libbpf};
use crate::skel::seed::{SeedSkelBuilder, types};
use crate::tables::Tables;
use crate::{Error, wire};

/// Passes over all tasks before a target is given up as never complete. Two are usual.
const PASSES: u32 = 64;

/// What is walked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A process that runs already.
    Process,
    /// A container whose init waits before its filter and its exec.
    Container,
}

/// Where a container's init is, in the kernel's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// Its process id in the initial pid namespace; 0: the walk did not meet it.
    pub(crate) leader: u64,
    pub(crate) mount_ns: u64,
    pub(crate) cgroup2: u64,
    pub(crate) cgroup2_parent: u64,
    /// 0 where no v1 hierarchy has the pids controller.
    pub(crate) pids_cgroup: u64,
}

/// The loaded iterators of one target.
pub(crate) struct Seeder {
    adopt: Link,
    census: Link,
    evict: Link,
    results: MapHandle,
}

impl Seeder {
    /// Loads the iterators for the target in `slot`.
    pub(crate) fn load(tables: &Tables, slot: u16, generation: u32, kind: Kind) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = SeedSkelBuilder::default().open(&mut storage).map_err(load_error)?;
        open.maps.tasks.reuse_fd(tables.tasks.as_fd()).map_err(load_error)?;
        open.maps.targets.reuse_fd(tables.targets.as_fd()).map_err(load_error)?;
        if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
            rodata.slot = slot.into();
            rodata.generation = generation;
            rodata.container = kind == Kind::Container;
        }
        let skel = open.load().map_err(load_error)?;
        let attach = |program: &libbpf_rs::ProgramMut<'_>, name| {
            program
                .attach_iter_with_opts(libbpf_rs::IterOpts::None)
                .map_err(|source| Error::Attach { program: name, source })
        };
        Ok(Self {
            adopt: attach(&skel.progs.adopt, "adopt")?,
            census: attach(&skel.progs.census, "census")?,
            evict: attach(&skel.progs.evict, "evict")?,
            results: MapHandle::try_from(&skel.maps.bss).map_err(load_error)?,
        })
    }

    /// Adopts until a pass finds nothing new, and says where a container's init is. `None`: the target outran us.
    pub(crate) fn adopt_all(&self) -> Result<Option<Place>, Error> {
        for _ in 0..PASSES {
            let results = self.pass(&self.adopt)?;
            let result = |offset| wire::u64_at(&results, offset).unwrap_or_default();
            if result(offset_of!(types::bss, added)) == 0 && result(offset_of!(types::bss, failed)) == 0 {
                return Ok(Some(Place {
                    leader: result(offset_of!(types::bss, leader)),
                    mount_ns: result(offset_of!(types::bss, mount_ns)),
                    cgroup2: result(offset_of!(types::bss, cgroup2)),
                    cgroup2_parent: result(offset_of!(types::bss, cgroup2_parent)),
                    pids_cgroup: result(offset_of!(types::bss, pids_cgroup)),
                }));
            }
        }
        Ok(None)
    }

    /// How many tasks of the target can still make a syscall.
    pub(crate) fn alive(&self) -> Result<u64, Error> {
        let results = self.pass(&self.census)?;
        Ok(wire::u64_at(&results, offset_of!(types::bss, alive)).unwrap_or_default())
    }

    /// Lets all members go, until a pass finds none.
    pub(crate) fn evict_all(&self) -> Result<(), Error> {
        for _ in 0..PASSES {
            let results = self.pass(&self.evict)?;
            if wire::u64_at(&results, offset_of!(types::bss, evicted)) == Some(0) {
                break;
            }
        }
        Ok(())
    }

    /// Runs an iterator over all tasks and returns its results.
    fn pass(&self, link: &Link) -> Result<Vec<u8>, Error> {
        let key = 0u32.to_ne_bytes();
        let zero = vec![0; size_of::<types::bss>()];
        self.results.update(&key, &zero, MapFlags::ANY).map_err(Error::map("seed results"))?;
        let mut tasks = Iter::new(link).map_err(Error::map("tasks"))?;
        let mut nothing = [0; 64];
        // The programs print nothing; reading to the end is what runs them.
        while tasks.read(&mut nothing).map_err(Error::system("walk the tasks"))? > 0 {}
        Ok(self.results.lookup(&key, MapFlags::ANY).map_err(Error::map("seed results"))?.unwrap_or_default())
    }
}
