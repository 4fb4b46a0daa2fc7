//! Sees which calls are not executed: an object of BPF programs of its own, beside the recorder.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::Arc;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle};
use seccomp_trace_core::{Denials, Watch};

use crate::clock::Clock;
use crate::libbpf::{load_error, quiet_libbpf, speed_up};
use crate::skel::denials::{DenialsSkel, DenialsSkelBuilder};
use crate::skipped::{self, Spared};
use crate::tables::{Tables, delete_where};
use crate::{Error, denials_wire as wire, preemption};

/// Different denials that have room per slot, and different arguments of them.
const PER_SLOT: (u32, u32) = (2048, 8192);
/// As many as all slots have room for together, at most.
const ALL_SLOTS: u32 = 65536;

/// The loaded programs, which see the members of every target of an instance.
pub(crate) struct Observer {
    denials: MapHandle,
    args: MapHandle,
    losses: MapHandle,
    /// Those whose misses are losses.
    programs: Vec<Spared>,
    _links: Vec<Link>,
}

impl Observer {
    /// Loads and attaches them beside the programs that `tables` belong to.
    pub(crate) fn load(tables: &Tables, slots: u16, watch: &Watch) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = speed_up(DenialsSkelBuilder::default())
            .map_err(load_error)?
            .open(&mut storage)
            .map_err(load_error)?;
        let maps = &mut open.maps;
        maps.tasks.reuse_fd(tables.tasks.as_fd()).map_err(load_error)?;
        maps.targets.reuse_fd(tables.targets.as_fd()).map_err(load_error)?;
        let slots = u32::from(slots);
        maps.denials.set_max_entries((slots * PER_SLOT.0).min(ALL_SLOTS)).map_err(load_error)?;
        maps.denied_args.set_max_entries((slots * PER_SLOT.1).min(ALL_SLOTS)).map_err(load_error)?;
        maps.denied_losses.set_max_entries(slots).map_err(load_error)?;
        if let Some(rodata) = maps.rodata_data.as_deref_mut() {
            rodata.watching = !watch.is_empty();
        }
        let perf = preemption::is_possible();
        open.progs.on_death_perf.set_autoload(preemption::is_possible_elsewhere());
        open.progs.on_call_perf.set_autoload(perf);
        open.progs.on_result_perf.set_autoload(perf);
        let skel = open.load().map_err(load_error)?;
        for (abi, row) in wire::watch_rows(watch) {
            skel.maps
                .watched
                .update(&abi.to_ne_bytes(), &row, MapFlags::ANY)
                .map_err(Error::map("watched"))?;
        }
        let (links, programs) = attach(&skel)?;
        Ok(Self {
            denials: MapHandle::try_from(&skel.maps.denials).map_err(load_error)?,
            args: MapHandle::try_from(&skel.maps.denied_args).map_err(load_error)?,
            losses: MapHandle::try_from(&skel.maps.denied_losses).map_err(load_error)?,
            programs,
            _links: links,
        })
    }

    /// Empties a slot for a new target.
    fn clear(&self, slot: u16) -> Result<(), Error> {
        for (map, name) in [(&self.denials, "denials"), (&self.args, "denied_args")] {
            delete_where(map, name, |key| wire::slot(key) == Some(slot))?;
        }
        let key = u32::from(slot).to_ne_bytes();
        self.losses.update(&key, &wire::no_losses(), MapFlags::ANY).map_err(Error::map("denied_losses"))
    }

    /// What was seen of the target in `slot`. Takes nothing away.
    fn read(&self, slot: u16, clock: Clock, misses_before: u64) -> Result<Denials, Error> {
        let mut found = Denials::default();
        for key in self.denials.keys().filter(|key| wire::slot(key) == Some(slot)) {
            let value = self.denials.lookup(&key, MapFlags::ANY).map_err(Error::map("denials"))?;
            let Some(mut denial) = value.and_then(|value| wire::denial(&key, &value, clock)) else {
                continue;
            };
            for with_args in self.args.keys().filter(|with_args| with_args.starts_with(&key)) {
                let count = self.args.lookup(&with_args, MapFlags::ANY).map_err(Error::map("denied_args"))?;
                denial.args.extend(wire::args(&with_args, count.as_deref().unwrap_or_default()));
            }
            found.all.push(denial);
        }
        found.all.sort_by_key(|denial| (denial.first.time, denial.call, denial.answer));
        let key = u32::from(slot).to_ne_bytes();
        let losses = self.losses.lookup(&key, MapFlags::ANY).map_err(Error::map("denied_losses"))?;
        let (overflow, storage_failures) = losses.as_deref().and_then(wire::losses).unwrap_or_default();
        found.overflow = overflow;
        found.unreliable = storage_failures + self.misses()?.saturating_sub(misses_before);
        Ok(found)
    }

    /// Program runs that the kernel skipped so far.
    fn misses(&self) -> Result<u64, Error> {
        skipped::misses(&self.programs)
    }
}

/// The denials of one target.
pub(crate) struct Watching {
    observer: Arc<Observer>,
    /// Skipped runs before it was armed, once [`forget_losses`](Self::forget_losses) has looked.
    misses_before: u64,
}

impl Watching {
    /// For a target that is about to be armed in `slot`.
    pub(crate) fn begin(observer: &Arc<Observer>, slot: u16) -> Result<Self, Error> {
        observer.clear(slot)?;
        Ok(Self { observer: Arc::clone(observer), misses_before: 0 })
    }

    /// What was skipped until here was not the target's.
    pub(crate) fn forget_losses(&mut self) -> Result<(), Error> {
        self.misses_before = self.observer.misses()?;
        Ok(())
    }

    /// What was seen so far. Takes nothing away.
    pub(crate) fn read(&self, slot: u16, clock: Clock) -> Result<Denials, Error> {
        self.observer.read(slot, clock, self.misses_before)
    }
}

fn attach(skel: &DenialsSkel<'_>) -> Result<(Vec<Link>, Vec<Spared>), Error> {
    let progs = &skel.progs;
    // A task whose birth was missed is known from its first call on, and nothing is made up of it: no loss.
    let (_, birth) = Spared::alone("on_birth", &progs.on_birth)?;
    let mut links = vec![birth];
    let mut programs = Vec::new();
    for (name, perf, program) in [
        ("on_death", &progs.on_death_perf, &progs.on_death),
        ("on_call", &progs.on_call_perf, &progs.on_call),
        // Last: an end counts only of who was seen to begin.
        ("on_result", &progs.on_result_perf, &progs.on_result),
    ] {
        let (program, link) = Spared::unpreempted(name, perf, program)?;
        links.push(link);
        programs.push(program);
    }
    Ok((links, programs))
}
