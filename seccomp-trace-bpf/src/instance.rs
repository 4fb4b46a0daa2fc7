//! One loaded set of programs and maps, with its slots.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Link, MapHandle, MapInfo, MapMut};

use crate::array::{Array, LargeArray};
use crate::libbpf::{load_error, quiet_libbpf, speed_up, try_storage};
use crate::live::{Live, Wanted};
use crate::skel::recorder::{OpenRecorderSkel, RecorderSkel, RecorderSkelBuilder, types};
use crate::skipped::Spared;
use crate::tables::{Tables, TargetConfig};
use crate::tally::{Counting, TallySpec};
use crate::{Error, preemption, seed, wire};

/// What is the same for all targets of an instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Config {
    pub(crate) slots: u16,
    /// Whether calls are recorded; without it there is nothing but membership.
    pub(crate) record: bool,
    pub(crate) count_calls: bool,
    /// Whether targets are containers, which processes can enter from outside, or commands, whose signals are told.
    pub(crate) containers: bool,
    /// Whether targets can be cgroups, or containers that run already.
    pub(crate) cgroups: bool,
}

/// Numbers outside the tables, and values of captured arguments, that have room per slot.
const PER_SLOT: u32 = 4096;
/// As many as all slots have room for together, at most.
const ALL_SLOTS: u32 = 65536;

/// By the names of their programs, in the order of attachment.
pub(crate) type Links = Vec<(String, Link)>;

/// The loaded programs. The skeleton itself, with its copy of the kernel's BTF, is gone by then.
pub(crate) struct Loaded {
    pub(crate) tables: Tables,
    pub(crate) events: MapHandle,
    pub(crate) launchers: MapHandle,
    pub(crate) signals: Array,
    pub(crate) live: Option<Live>,
    pub(crate) links: Links,
}

impl Loaded {
    /// Loads and attaches everything; with it a live view where one is wanted.
    pub(crate) fn load(config: Config, view: Option<&Wanted>) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = speed_up(RecorderSkelBuilder::default())
            .map_err(load_error)?
            .open(&mut storage)
            .map_err(load_error)?;
        configure(&mut open, config).map_err(load_error)?;
        let mut skel = open.load().map_err(load_error)?;
        if let Some(globals) = skel.maps.bss_data.as_deref_mut() {
            globals.tasks_id = MapInfo::new(skel.maps.tasks.as_fd()).map_err(load_error)?.info.id;
        }
        try_storage(&skel.maps.tasks)?;
        let (tasks, targets) = (skel.maps.tasks.as_fd(), skel.maps.targets.as_fd());
        let live = view.map(|wanted| Live::load(wanted, config.slots, tasks, targets)).transpose()?;
        let (links, programs) = attach(&skel, config)?;
        let attached = links.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
        tracing::debug!(?config, ?attached, "the recorder is loaded and attached");
        let tables = Tables {
            count_calls: config.count_calls,
            tasks: MapHandle::try_from(&skel.maps.tasks).map_err(load_error)?,
            targets: array(&skel.maps.targets, "targets")?,
            seen: array(&skel.maps.seen, "seen")?,
            first: LargeArray::new(MapHandle::try_from(&skel.maps.first).map_err(load_error)?, "first"),
            counts: MapHandle::try_from(&skel.maps.counts).map_err(load_error)?,
            captures: array(&skel.maps.captures, "captures")?,
            values: MapHandle::try_from(&skel.maps.values).map_err(load_error)?,
            odd: MapHandle::try_from(&skel.maps.odd).map_err(load_error)?,
            entrances: MapHandle::try_from(&skel.maps.entrances).map_err(load_error)?,
            globals: array(&skel.maps.bss, "globals")?,
            seeding: array(&skel.maps.seeding, "seeding")?,
            programs,
        };
        Ok(Self {
            tables,
            events: MapHandle::try_from(&skel.maps.events).map_err(load_error)?,
            launchers: MapHandle::try_from(&skel.maps.launchers).map_err(load_error)?,
            signals: array(&skel.maps.signals, "signals")?,
            live,
            links,
        })
    }
}

fn array(map: &MapMut<'_>, name: &'static str) -> Result<Array, Error> {
    Array::new(MapHandle::try_from(map).map_err(load_error)?, name)
}

/// A loaded set of programs of this process alone, with its slots.
pub(crate) struct Instance {
    pub(crate) loaded: Loaded,
    slots: Mutex<Vec<Slot>>,
    /// What counts calls for a summary, where one is wanted.
    pub(crate) counting: Option<Counting>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    generation: u32,
    in_use: bool,
}

impl Instance {
    /// Loads and attaches everything.
    pub(crate) fn load(config: Config, view: Option<&Wanted>) -> Result<Self, Error> {
        let slots = Mutex::new(vec![Slot::default(); usize::from(config.slots)]);
        Ok(Self { loaded: Loaded::load(config, view)?, slots, counting: None })
    }

    /// Counts calls as well.
    pub(crate) fn with_tally(mut self, spec: TallySpec) -> Result<Self, Error> {
        let slots = self.slots.get_mut().unwrap_or_else(PoisonError::into_inner).len();
        let slots = u16::try_from(slots).unwrap_or(u16::MAX);
        self.counting = Some(Counting::load(self.tables(), slots, spec)?);
        Ok(self)
    }

    /// The maps that recordings are made of.
    pub(crate) fn tables(&self) -> &Tables {
        &self.loaded.tables
    }

    /// Takes a free slot, empties it and gives it a new generation and one live task.
    pub(crate) fn take_slot(&self, config: &TargetConfig) -> Result<(u16, u32), Error> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let count = slots.len();
        for (slot, state) in (0u16..).zip(slots.iter_mut()) {
            // The tasks of a target that was given up while it lived still write into its rows.
            if state.in_use || (state.generation != 0 && self.tables().counters(slot).live != 0) {
                continue;
            }
            let generation = state.generation.wrapping_add(1).max(1);
            self.tables().begin(slot, generation, config)?;
            self.loaded.signals.write(slot.into(), &vec![0; size_of::<types::signal_tally>()]);
            if let Some(counting) = &self.counting {
                counting.clear(slot)?;
            }
            *state = Slot { generation, in_use: true };
            return Ok((slot, generation));
        }
        Err(Error::SlotsTaken { slots: u16::try_from(count).unwrap_or(u16::MAX) })
    }

    /// Gives a slot back. It is used again once the tasks that are still in it have ended.
    pub(crate) fn release_slot(&self, slot: u16) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = slots.get_mut(usize::from(slot)) {
            state.in_use = false;
        }
    }
}

fn configure(open: &mut OpenRecorderSkel<'_>, config: Config) -> libbpf_rs::Result<()> {
    let slots = u32::from(config.slots);
    let rows = slots * wire::ROWS;
    open.maps.targets.set_max_entries(slots)?;
    open.maps.signals.set_max_entries(slots)?;
    open.maps.seen.set_max_entries(rows)?;
    open.maps.first.set_max_entries(rows)?;
    open.maps.captures.set_max_entries(slots * wire::ABIS)?;
    open.maps.odd.set_max_entries((slots * PER_SLOT).min(ALL_SLOTS))?;
    open.maps.values.set_max_entries((slots * PER_SLOT).min(ALL_SLOTS))?;
    open.maps.entrances.set_max_entries(slots * wire::ENTRANCES)?;
    if config.count_calls {
        open.maps.counts.set_max_entries(rows)?;
    }
    open.progs.on_sys_enter_perf.set_autoload(preemption::is_possible());
    let spares = preemption::is_possible_elsewhere();
    open.progs.on_newtask_spare.set_autoload(spares);
    open.progs.on_exit_spare.set_autoload(spares);
    open.progs.on_exec_spare.set_autoload(spares);
    open.progs.on_signal.set_autoload(!config.containers);
    open.progs.on_cgroup_attach.set_autoload(config.containers || config.cgroups);
    open.progs.adopt.set_autoload(config.containers);
    open.progs.census.set_autoload(config.containers);
    open.progs.evict.set_autoload(config.containers);
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.count_calls = config.count_calls;
        rodata.containers = config.containers || config.cgroups;
        rodata.whole_cgroups = config.cgroups;
    }
    Ok(())
}

/// Membership is kept by the programs that are attached first; the one that records comes last.
fn attach(skel: &RecorderSkel<'_>, config: Config) -> Result<(Links, Vec<Spared>), Error> {
    let progs = &skel.progs;
    let mut links = Vec::new();
    let mut programs = Vec::new();
    if config.containers {
        // Run when they are read, by whoever joins.
        for (name, walk) in [("adopt", &progs.adopt), ("census", &progs.census), ("evict", &progs.evict)] {
            links.push((name.to_owned(), seed::attach(walk, name)?));
        }
    }
    for (name, program, spare) in [
        ("on_newtask", &progs.on_newtask, &progs.on_newtask_spare),
        ("on_exit", &progs.on_exit, &progs.on_exit_spare),
        ("on_exec", &progs.on_exec, &progs.on_exec_spare),
    ] {
        let (program, its_links) = Spared::attach(name, program, spare)?;
        links.extend(program.names().zip(its_links));
        programs.push(program);
    }
    if !config.containers {
        let (_, link) = Spared::alone("on_signal", &progs.on_signal)?;
        links.push(("on_signal".to_owned(), link));
    }
    if config.containers || config.cgroups {
        let (program, link) = Spared::alone("on_cgroup_attach", &progs.on_cgroup_attach)?;
        links.push(("on_cgroup_attach".to_owned(), link));
        programs.push(program);
    }
    if config.record {
        let (name, perf) = ("on_sys_enter", &progs.on_sys_enter_perf);
        let (program, link) = Spared::unpreempted(name, perf, &progs.on_sys_enter)?;
        links.push((name.to_owned(), link));
        programs.push(program);
    }
    Ok((links, programs))
}
