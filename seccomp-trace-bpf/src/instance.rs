//! One loaded set of programs and maps, with its slots.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle, MapInfo, ProgramHandle};

use crate::libbpf::{load_error, quiet_libbpf};
use crate::live::{Live, Wanted};
use crate::skel::recorder::{OpenRecorderSkel, RecorderSkel, RecorderSkelBuilder, types};
use crate::tables::{Tables, TargetConfig};
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
pub(crate) type Links = Vec<(&'static str, Link)>;

/// The loaded programs. The skeleton itself, with its copy of the kernel's BTF, is gone by then.
pub(crate) struct Loaded {
    pub(crate) tables: Tables,
    pub(crate) events: MapHandle,
    pub(crate) launchers: MapHandle,
    pub(crate) signals: MapHandle,
    pub(crate) live: Option<Live>,
    adopting: MapHandle,
    pub(crate) links: Links,
}

impl Loaded {
    /// Loads and attaches everything; with it a live view where one is wanted.
    pub(crate) fn load(config: Config, view: Option<&Wanted>) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = RecorderSkelBuilder::default().open(&mut storage).map_err(load_error)?;
        configure(&mut open, config).map_err(load_error)?;
        let mut skel = open.load().map_err(load_error)?;
        if let Some(globals) = skel.maps.bss_data.as_deref_mut() {
            globals.tasks_id = MapInfo::new(skel.maps.tasks.as_fd()).map_err(load_error)?.info.id;
        }
        let (tasks, targets) = (skel.maps.tasks.as_fd(), skel.maps.targets.as_fd());
        let live = view.map(|wanted| Live::load(wanted, config.slots, tasks, targets)).transpose()?;
        let (links, enter) = attach(&skel, config)?;
        let tables = Tables {
            count_calls: config.count_calls,
            tasks: MapHandle::try_from(&skel.maps.tasks).map_err(load_error)?,
            targets: MapHandle::try_from(&skel.maps.targets).map_err(load_error)?,
            seen: MapHandle::try_from(&skel.maps.seen).map_err(load_error)?,
            first: MapHandle::try_from(&skel.maps.first).map_err(load_error)?,
            counts: MapHandle::try_from(&skel.maps.counts).map_err(load_error)?,
            captures: MapHandle::try_from(&skel.maps.captures).map_err(load_error)?,
            values: MapHandle::try_from(&skel.maps.values).map_err(load_error)?,
            odd: MapHandle::try_from(&skel.maps.odd).map_err(load_error)?,
            entrances: MapHandle::try_from(&skel.maps.entrances).map_err(load_error)?,
            globals: MapHandle::try_from(&skel.maps.bss).map_err(load_error)?,
            seeding: MapHandle::try_from(&skel.maps.seeding).map_err(load_error)?,
            programs: programs(&skel, enter)?,
        };
        Ok(Self {
            tables,
            events: MapHandle::try_from(&skel.maps.events).map_err(load_error)?,
            launchers: MapHandle::try_from(&skel.maps.launchers).map_err(load_error)?,
            signals: MapHandle::try_from(&skel.maps.signals).map_err(load_error)?,
            live,
            adopting: MapHandle::try_from(&skel.maps.adopting).map_err(load_error)?,
            links,
        })
    }
}

/// A loaded set of programs of this process alone, with its slots.
pub(crate) struct Instance {
    pub(crate) loaded: Loaded,
    slots: Mutex<Vec<Slot>>,
    /// One target is adopted at a time.
    adopting: Mutex<()>,
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
        Ok(Self { loaded: Loaded::load(config, view)?, slots, adopting: Mutex::new(()) })
    }

    /// Looks at every new task more closely until the result is dropped: a target that runs is being adopted.
    pub(crate) fn adopting(&self) -> Result<Adopting<'_>, Error> {
        let alone = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        set_adopting(&self.loaded.adopting, 1)?;
        Ok(Adopting { map: &self.loaded.adopting, _alone: alone })
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
            if state.in_use || (state.generation != 0 && self.tables().counters(slot)?.live != 0) {
                continue;
            }
            let generation = state.generation.wrapping_add(1).max(1);
            self.tables().begin(slot, generation, config)?;
            let tally = vec![0; size_of::<types::signal_tally>()];
            self.loaded
                .signals
                .update(&u32::from(slot).to_ne_bytes(), &tally, MapFlags::ANY)
                .map_err(Error::map("signals"))?;
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

/// See [`Instance::adopting`].
pub(crate) struct Adopting<'a> {
    map: &'a MapHandle,
    _alone: MutexGuard<'a, ()>,
}

impl Drop for Adopting<'_> {
    fn drop(&mut self) {
        // Where it fails, new tasks go on being looked at, which costs a little and changes nothing.
        let _ = set_adopting(self.map, 0);
    }
}

fn set_adopting(map: &MapHandle, count: u64) -> Result<(), Error> {
    map.update(&0u32.to_ne_bytes(), &count.to_ne_bytes(), MapFlags::ANY).map_err(Error::map("adopting"))
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

/// Where the program is attached that records calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enter {
    /// Nowhere: calls are not recorded.
    Off,
    /// The BTF tracepoint: the cheapest.
    Btf,
    /// The perf tracepoint, which is never preempted.
    Perf,
}

/// Membership is kept by the programs that are attached first; the one that records comes last.
fn attach(skel: &RecorderSkel<'_>, config: Config) -> Result<(Links, Enter), Error> {
    let programs = [
        ("on_newtask", true, &skel.progs.on_newtask),
        ("on_exit", true, &skel.progs.on_exit),
        ("on_exec", true, &skel.progs.on_exec),
        ("on_signal", !config.containers, &skel.progs.on_signal),
        ("on_cgroup_attach", config.containers || config.cgroups, &skel.progs.on_cgroup_attach),
    ];
    let mut links = Vec::new();
    if config.containers {
        // Run when they are read, by whoever joins.
        links.push(("adopt", seed::attach(&skel.progs.adopt, "adopt")?));
        links.push(("census", seed::attach(&skel.progs.census, "census")?));
        links.push(("evict", seed::attach(&skel.progs.evict, "evict")?));
    }
    for (program, _, prog) in programs.into_iter().filter(|(_, wanted, _)| *wanted) {
        let link = prog.attach_trace().map_err(|source| Error::Attach { program, source })?;
        links.push((program, link));
    }
    if !config.record {
        return Ok((links, Enter::Off));
    }
    let (link, enter) = attach_enter(skel)?;
    links.push(("on_sys_enter", link));
    Ok((links, enter))
}

/// The perf tracepoint needs tracefs. Where that is not mounted, misses are counted as what they are: losses.
fn attach_enter(skel: &RecorderSkel<'_>) -> Result<(Link, Enter), Error> {
    if preemption::is_possible(skel.progs.on_sys_enter.as_fd())
        && let Ok(link) = skel.progs.on_sys_enter_perf.attach()
    {
        return Ok((link, Enter::Perf));
    }
    let failed = |source| Error::Attach { program: "on_sys_enter", source };
    Ok((skel.progs.on_sys_enter.attach_trace().map_err(failed)?, Enter::Btf))
}

/// In the order of [`PROGRAMS`]; without the last where calls are not recorded.
fn programs(skel: &RecorderSkel<'_>, enter: Enter) -> Result<Vec<ProgramHandle>, Error> {
    let progs = &skel.progs;
    let on_sys_enter = match enter {
        Enter::Off => None,
        Enter::Btf => Some(&progs.on_sys_enter),
        Enter::Perf => Some(&progs.on_sys_enter_perf),
    };
    [&progs.on_newtask, &progs.on_exit, &progs.on_exec]
        .into_iter()
        .chain(on_sys_enter)
        .map(|program| ProgramHandle::try_from(program).map_err(load_error))
        .collect()
}

/// The programs whose misses are losses.
pub(crate) const PROGRAMS: [&str; 4] = ["on_newtask", "on_exit", "on_exec", "on_sys_enter"];
