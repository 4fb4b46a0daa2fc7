//! Puts the threads and descendants that a process has already under observation.

use std::io::Read;
use std::mem::{MaybeUninit, offset_of};
use std::os::fd::AsFd;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, MapHandle};

use crate::instance::Instance;
use crate::libbpf::{load_error, quiet_libbpf};
use crate::skel::seed::{SeedSkelBuilder, types};
use crate::{Error, wire};

/// Passes over all tasks before a target is given up as never complete. Two are usual.
const PASSES: u32 = 64;

/// The loaded iterators of one target.
pub(crate) struct Seeder {
    adopt: Link,
    census: Link,
    results: MapHandle,
}

impl Seeder {
    /// Loads the iterators for the target in `slot`.
    pub(crate) fn load(instance: &Instance, slot: u16, generation: u32) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = SeedSkelBuilder::default().open(&mut storage).map_err(load_error)?;
        open.maps.tasks.reuse_fd(instance.tasks.as_fd()).map_err(load_error)?;
        open.maps.targets.reuse_fd(instance.targets.as_fd()).map_err(load_error)?;
        if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
            rodata.slot = slot.into();
            rodata.generation = generation;
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
            results: MapHandle::try_from(&skel.maps.bss).map_err(load_error)?,
        })
    }

    /// Adopts until a pass finds nothing new. `false`: the target outran us.
    pub(crate) fn adopt_all(&self) -> Result<bool, Error> {
        for _ in 0..PASSES {
            let results = self.pass(&self.adopt)?;
            let result = |offset| wire::u64_at(&results, offset).unwrap_or_default();
            if result(offset_of!(types::bss, added)) == 0 && result(offset_of!(types::bss, failed)) == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many tasks of the target can still make a syscall.
    pub(crate) fn alive(&self) -> Result<u64, Error> {
        let results = self.pass(&self.census)?;
        Ok(wire::u64_at(&results, offset_of!(types::bss, alive)).unwrap_or_default())
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
