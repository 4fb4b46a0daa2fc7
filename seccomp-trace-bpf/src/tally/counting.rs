//! The programs that count, and their maps.

use std::collections::BTreeMap;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle};
use seccomp_trace_core::Comm;

use super::{Tally, TallyBy, TallyGroup, TallyRow, TallySpec, TallyTime, wire};
use crate::clock::Clock;
use crate::libbpf::{load_error, quiet_libbpf, speed_up};
use crate::skel::tally::{OpenTallySkel, TallySkel, TallySkelBuilder};
use crate::skipped::{self, Spared};
use crate::tables::Tables;
use crate::wire::ABIS;
use crate::{Error, preemption};

/// Loaded beside the recorder, which knows who is a member.
pub(crate) struct Counting {
    spec: TallySpec,
    totals: MapHandle,
    cells: MapHandle,
    names: MapHandle,
    counters: MapHandle,
    programs: Vec<Spared>,
    _links: Vec<Link>,
}

impl Counting {
    /// Loads and attaches what counts for all slots of an instance.
    pub(crate) fn load(tables: &Tables, slots: u16, spec: TallySpec) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = speed_up(TallySkelBuilder::default())
            .map_err(load_error)?
            .open(&mut storage)
            .map_err(load_error)?;
        configure(&mut open, tables, slots, spec).map_err(load_error)?;
        let skel = open.load().map_err(load_error)?;
        let (links, programs) = attach(&skel, spec)?;
        Ok(Self {
            spec,
            totals: MapHandle::try_from(&skel.maps.totals).map_err(load_error)?,
            cells: MapHandle::try_from(&skel.maps.cells).map_err(load_error)?,
            names: MapHandle::try_from(&skel.maps.names).map_err(load_error)?,
            counters: MapHandle::try_from(&skel.maps.counters).map_err(load_error)?,
            programs,
            _links: links,
        })
    }

    /// Empties a slot for its next target.
    pub(crate) fn clear(&self, slot: u16) -> Result<(), Error> {
        for abi in 0..ABIS {
            let row = (u32::from(slot) * ABIS + abi).to_ne_bytes();
            let cpus = self.totals.lookup_percpu(&row, MapFlags::ANY).map_err(Error::map("totals"))?;
            let empty: Vec<_> = cpus.unwrap_or_default().iter().map(|_| vec![0; wire::ROW]).collect();
            self.totals.update_percpu(&row, &empty, MapFlags::ANY).map_err(Error::map("totals"))?;
        }
        let ours = |key: &Vec<u8>| wire::key(key).is_some_and(|key| key.slot == u32::from(slot));
        let keys: Vec<_> = self.cells.keys().filter(ours).collect();
        keys.iter().try_for_each(|key| self.cells.delete(key)).map_err(Error::map("cells"))
    }

    /// What was counted for the target of a slot so far.
    pub(crate) fn read(&self, slot: u16) -> Result<Tally, Error> {
        let counters = self.counters.lookup(&0u32.to_ne_bytes(), MapFlags::ANY);
        let counters = counters.map_err(Error::map("counters"))?.unwrap_or_default();
        let mut rows = self.totals(slot)?;
        rows.extend(self.groups(slot)?);
        rows.sort_by_key(|row| (row.group, row.call));
        Ok(Tally {
            rows,
            uncounted: wire::uncounted(&counters).unwrap_or_default(),
            missed: skipped::misses(&self.programs)?,
        })
    }

    fn totals(&self, slot: u16) -> Result<Vec<TallyRow>, Error> {
        let group = if self.spec.by == TallyBy::All { TallyGroup::All } else { TallyGroup::Others };
        let mut rows = Vec::new();
        for abi in 0..ABIS {
            let row = (u32::from(slot) * ABIS + abi).to_ne_bytes();
            let cpus = self.totals.lookup_percpu(&row, MapFlags::ANY).map_err(Error::map("totals"))?;
            let calls = wire::row(abi, &cpus.unwrap_or_default());
            rows.extend(calls.into_iter().map(|(call, cell)| cell.row(group, call)));
        }
        Ok(rows)
    }

    fn groups(&self, slot: u16) -> Result<Vec<TallyRow>, Error> {
        let mut names = BTreeMap::new();
        let mut rows = Vec::new();
        for bytes in self.cells.keys() {
            let Some(key) = wire::key(&bytes).filter(|key| key.slot == u32::from(slot)) else { continue };
            let cpus = self.cells.lookup_percpu(&bytes, MapFlags::ANY).map_err(Error::map("cells"))?;
            let cell = wire::Cell::sum(&cpus.unwrap_or_default(), 0);
            let comm = match names.get(&key.group) {
                Some(comm) => *comm,
                None => *names.entry(key.group).or_insert(self.name(key.group)?),
            };
            let group = wire::group(self.spec.by, key.group, comm);
            rows.extend(group.filter(|_| cell.calls > 0).map(|group| cell.row(group, key.call)));
        }
        Ok(rows)
    }

    fn name(&self, group: u64) -> Result<Comm, Error> {
        let name = self.names.lookup(&group.to_ne_bytes(), MapFlags::ANY).map_err(Error::map("names"))?;
        let name = name.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        Ok(name.map(Comm::from_kernel).unwrap_or_default())
    }
}

fn configure(
    open: &mut OpenTallySkel<'_>,
    tables: &Tables,
    slots: u16,
    spec: TallySpec,
) -> libbpf_rs::Result<()> {
    open.maps.tasks.reuse_fd(tables.tasks.as_fd())?;
    open.maps.targets.reuse_fd(tables.targets.as_fd())?;
    open.maps.totals.set_max_entries(u32::from(slots) * ABIS)?;
    open.progs.tally_switch.set_autoload(spec.time == TallyTime::Cpu);
    let perf = preemption::is_possible();
    open.progs.tally_enter_perf.set_autoload(perf);
    open.progs.tally_exit_perf.set_autoload(perf);
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.tally_by = wire::by_number(spec.by);
        rodata.cpu_time = spec.time == TallyTime::Cpu;
        rodata.loaded_ns = Clock::boot_ns();
    }
    Ok(())
}

/// Ends are attached first: a call whose end is not seen would be taken for the next one's.
fn attach(skel: &TallySkel<'_>, spec: TallySpec) -> Result<(Vec<Link>, Vec<Spared>), Error> {
    let progs = &skel.progs;
    let mut attached = vec![
        Spared::unpreempted("tally_exit", &progs.tally_exit_perf, &progs.tally_exit)?,
        Spared::unpreempted("tally_enter", &progs.tally_enter_perf, &progs.tally_enter)?,
    ];
    if spec.time == TallyTime::Cpu {
        attached.push(Spared::alone("tally_switch", &progs.tally_switch)?);
    }
    let (programs, links) = attached.into_iter().unzip();
    Ok((links, programs))
}
