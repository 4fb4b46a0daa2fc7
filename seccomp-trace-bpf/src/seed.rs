//! Walks over the tasks that exist already: puts those of a target under observation, counts them, lets them go.

use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::path::Path;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Iter, IterOpts, Link, MapHandle, ProgramMut};
use seccomp_trace_core::Losses;

use crate::array::Array;
use crate::libbpf::{load_error, quiet_libbpf, speed_up};
use crate::skel::seed::SeedSkelBuilder;
use crate::skipped::Spared;
use crate::tables::Tables;
use crate::wire::{NewPass, Place};
use crate::{Error, preemption, wire};

/// Passes over all tasks before a target is given up as never complete. Two are usual.
const PASSES: u32 = 64;

/// What is walked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Processes that run already.
    Process,
    /// What is in a cgroup.
    Cgroup,
    /// A container that runs already.
    RunningContainer,
    /// A container whose init waits before its filter and its exec.
    Container,
}

impl Kind {
    fn pass(self) -> NewPass {
        NewPass {
            container: matches!(self, Self::Container | Self::RunningContainer),
            running: self != Self::Container,
            by_cgroup: matches!(self, Self::Cgroup | Self::RunningContainer),
            opening: false,
        }
    }
}

/// The iterators, for one target. Where they are shared, one process at a time may use them.
pub(crate) struct Seeder {
    adopt: Link,
    census: Link,
    evict: Link,
    pass: Array,
    /// What looks at tasks that are born and die meanwhile.
    closely: Vec<(Spared, Vec<Link>)>,
    slot: u16,
    generation: u32,
    kind: Kind,
}

impl Seeder {
    /// Loads iterators for the target in `slot` alone.
    pub(crate) fn load(tables: &Tables, slot: u16, generation: u32, kind: Kind) -> Result<Self, Error> {
        Self::load_with(tables, slot, generation, kind, false)
    }

    /// The same, and looks closely at who is born and who dies, until [`Seeder::adopted`].
    pub(crate) fn adopting(tables: &Tables, slot: u16, generation: u32, kind: Kind) -> Result<Self, Error> {
        Self::load_with(tables, slot, generation, kind, true)
    }

    fn load_with(
        tables: &Tables,
        slot: u16,
        generation: u32,
        kind: Kind,
        closely: bool,
    ) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = speed_up(SeedSkelBuilder::default())
            .map_err(load_error)?
            .open(&mut storage)
            .map_err(load_error)?;
        open.maps.tasks.reuse_fd(tables.tasks.as_fd()).map_err(load_error)?;
        open.maps.targets.reuse_fd(tables.targets.as_fd()).map_err(load_error)?;
        open.maps.seen.reuse_fd(tables.seen.as_fd()).map_err(load_error)?;
        open.maps.first.reuse_fd(tables.first.as_fd()).map_err(load_error)?;
        open.maps.captures.reuse_fd(tables.captures.as_fd()).map_err(load_error)?;
        open.maps.values.reuse_fd(tables.values.as_fd()).map_err(load_error)?;
        open.maps.entrances.reuse_fd(tables.entrances.as_fd()).map_err(load_error)?;
        let spares = closely && preemption::is_possible_elsewhere();
        open.progs.on_birth.set_autoload(closely);
        open.progs.on_birth_spare.set_autoload(spares);
        open.progs.on_death.set_autoload(closely);
        open.progs.on_death_spare.set_autoload(spares);
        let skel = open.load().map_err(load_error)?;
        let programs = [
            ("on_birth", &skel.progs.on_birth, &skel.progs.on_birth_spare),
            ("on_death", &skel.progs.on_death, &skel.progs.on_death_spare),
        ];
        let closely = programs.into_iter().filter(|_| closely);
        let closely = closely.map(|(name, program, spare)| Spared::attach(name, program, spare));
        Ok(Self {
            closely: closely.collect::<Result<_, _>>()?,
            adopt: attach(&skel.progs.adopt, "adopt")?,
            census: attach(&skel.progs.census, "census")?,
            evict: attach(&skel.progs.evict, "evict")?,
            pass: Array::new(MapHandle::try_from(&skel.maps.seeding).map_err(load_error)?, "seeding")?,
            slot,
            generation,
            kind,
        })
    }

    /// Opens the pinned iterators of a shared instance, whose lock the caller holds.
    pub(crate) fn pinned(directory: &Path, slot: u16, generation: u32) -> Result<Self, Error> {
        let failed = |source| Error::Pin { path: directory.to_owned(), source };
        let link = |name: &str| Link::open(directory.join(format!("link_{name}"))).map_err(failed);
        Ok(Self {
            adopt: link("adopt")?,
            census: link("census")?,
            evict: link("evict")?,
            pass: Array::new(
                MapHandle::from_pinned_path(directory.join("map_seeding")).map_err(failed)?,
                "seeding",
            )?,
            closely: Vec::new(),
            slot,
            generation,
            kind: Kind::Container,
        })
    }

    /// Adopts until a pass finds nothing new, and says where a container's init is. `None`: the target outran us.
    pub(crate) fn adopt_all(&self) -> Result<Option<Place>, Error> {
        for pass in 0..PASSES {
            let found = self.walk(&self.adopt, NewPass { opening: pass == 0, ..self.kind.pass() })?;
            if found.added == 0 && found.failed == 0 && found.moving == 0 {
                return Ok(Some(found.place));
            }
        }
        Ok(None)
    }

    /// Who is born from here on has a parent that is known. Says what may have been missed until here: a walk was
    /// `complete` or not, and a kernel that preempts programs may have skipped those that looked closely.
    pub(crate) fn adopted(mut self, complete: bool) -> Result<(Self, Losses), Error> {
        let mut skipped = 0;
        for (program, links) in self.closely.drain(..) {
            drop(links);
            skipped += program.misses()?;
        }
        let losses =
            Losses { unseeded: u64::from(!complete), recursion_misses: skipped, ..Losses::default() };
        Ok((self, losses))
    }

    /// How many tasks of the target have not told their exit yet, or did just now.
    pub(crate) fn alive(&self) -> Result<u64, Error> {
        Ok(self.walk(&self.census, self.kind.pass())?.alive)
    }

    /// Lets all members go, until a pass finds none.
    pub(crate) fn evict_all(&self) -> Result<(), Error> {
        for _ in 0..PASSES {
            if self.walk(&self.evict, self.kind.pass())?.evicted == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Runs an iterator over all tasks and returns what it found.
    fn walk(&self, link: &Link, pass: NewPass) -> Result<wire::Pass, Error> {
        self.pass.write(0, &wire::new_pass(self.slot, self.generation, pass));
        run(link)?;
        let found = wire::pass(&self.pass.read(0)).unwrap_or_default();
        tracing::debug!(slot = self.slot, ?pass, ?found, "walked over all tasks");
        Ok(found)
    }
}

/// Runs an iterator over all tasks.
pub(crate) fn run(link: &Link) -> Result<(), Error> {
    let mut tasks = Iter::new(link).map_err(Error::map("tasks"))?;
    let mut nothing = [0; 64];
    // The programs print nothing; reading to the end is what runs them.
    while tasks.read(&mut nothing).map_err(Error::system("walk the tasks"))? > 0 {}
    Ok(())
}

/// Makes an iterator that can be run.
pub(crate) fn attach(program: &ProgramMut<'_>, name: &'static str) -> Result<Link, Error> {
    program.attach_iter_with_opts(IterOpts::None).map_err(|source| Error::Attach { program: name, source })
}
