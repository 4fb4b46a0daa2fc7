//! One loaded set of programs and maps, with its slots.

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle, MapInfo, Program};
use seccomp_trace_core::{Captures, Phase};

use crate::libbpf::{load_error, quiet_libbpf, recursion_misses};
use crate::skel::recorder::{OpenRecorderSkel, RecorderSkel, RecorderSkelBuilder, types};
use crate::{Error, wire};

/// What is the same for all targets of an instance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Config {
    pub(crate) slots: u16,
    pub(crate) count_calls: bool,
}

/// What is particular to one target.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetConfig {
    pub(crate) events: bool,
    pub(crate) captures: Captures,
}

/// Handles to what lives in the kernel. The skeleton itself, with its copy of the kernel's BTF, is gone by then.
pub(crate) struct Instance {
    pub(crate) config: Config,
    pub(crate) tasks: MapHandle,
    pub(crate) targets: MapHandle,
    pub(crate) seen: MapHandle,
    pub(crate) first: MapHandle,
    pub(crate) counts: MapHandle,
    pub(crate) captures: MapHandle,
    pub(crate) values: MapHandle,
    pub(crate) odd: MapHandle,
    pub(crate) events: MapHandle,
    pub(crate) launchers: MapHandle,
    pub(crate) signals: MapHandle,
    globals: MapHandle,
    programs: Vec<OwnedFd>,
    _links: Vec<Link>,
    slots: Mutex<Vec<Slot>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    generation: u32,
    in_use: bool,
}

impl Instance {
    /// Loads and attaches everything.
    pub(crate) fn load(config: Config) -> Result<Self, Error> {
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = RecorderSkelBuilder::default().open(&mut storage).map_err(load_error)?;
        configure(&mut open, config).map_err(load_error)?;
        let mut skel = open.load().map_err(load_error)?;
        if let Some(globals) = skel.maps.bss_data.as_deref_mut() {
            globals.tasks_id = MapInfo::new(skel.maps.tasks.as_fd()).map_err(load_error)?.info.id;
        }
        Ok(Self {
            config,
            tasks: MapHandle::try_from(&skel.maps.tasks).map_err(load_error)?,
            targets: MapHandle::try_from(&skel.maps.targets).map_err(load_error)?,
            seen: MapHandle::try_from(&skel.maps.seen).map_err(load_error)?,
            first: MapHandle::try_from(&skel.maps.first).map_err(load_error)?,
            counts: MapHandle::try_from(&skel.maps.counts).map_err(load_error)?,
            captures: MapHandle::try_from(&skel.maps.captures).map_err(load_error)?,
            values: MapHandle::try_from(&skel.maps.values).map_err(load_error)?,
            odd: MapHandle::try_from(&skel.maps.odd).map_err(load_error)?,
            events: MapHandle::try_from(&skel.maps.events).map_err(load_error)?,
            launchers: MapHandle::try_from(&skel.maps.launchers).map_err(load_error)?,
            signals: MapHandle::try_from(&skel.maps.signals).map_err(load_error)?,
            globals: MapHandle::try_from(&skel.maps.bss).map_err(load_error)?,
            programs: program_fds(&skel)?,
            _links: attach(&skel)?,
            slots: Mutex::new(vec![Slot::default(); usize::from(config.slots)]),
        })
    }

    /// Takes a free slot, empties it and gives it a new generation and one live task.
    pub(crate) fn take_slot(&self, config: &TargetConfig) -> Result<(u16, u32), Error> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for (slot, state) in (0u16..).zip(slots.iter_mut()) {
            // The tasks of a target that was given up while it lived still write into its rows.
            if state.in_use || (state.generation != 0 && self.counters(slot)?.live != 0) {
                continue;
            }
            let generation = state.generation.wrapping_add(1).max(1);
            self.clear(slot, &config.captures)?;
            self.targets
                .update(
                    &u32::from(slot).to_ne_bytes(),
                    &wire::new_target(generation, config.events),
                    MapFlags::ANY,
                )
                .map_err(Error::map("targets"))?;
            *state = Slot { generation, in_use: true };
            return Ok((slot, generation));
        }
        Err(Error::SlotsTaken { slots: self.config.slots })
    }

    /// Gives a slot back. It is used again once the tasks that are still in it have ended.
    pub(crate) fn release_slot(&self, slot: u16) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = slots.get_mut(usize::from(slot)) {
            state.in_use = false;
        }
    }

    /// Records that the target of `slot` has no live task, where none was ever armed.
    pub(crate) fn disarm(&self, slot: u16) -> Result<(), Error> {
        let empty = vec![0; size_of::<types::target>()];
        self.targets
            .update(&u32::from(slot).to_ne_bytes(), &empty, MapFlags::ANY)
            .map_err(Error::map("targets"))
    }

    /// Puts the process that `pidfd` refers to, which must be a thread-group leader, into `slot`.
    pub(crate) fn arm(
        &self,
        pidfd: BorrowedFd<'_>,
        slot: u16,
        generation: u32,
        phase: Phase,
    ) -> Result<(), libbpf_rs::Error> {
        let value = wire::first_member(slot, generation, phase);
        self.tasks.update(&pidfd.as_raw_fd().to_ne_bytes(), &value, MapFlags::NO_EXIST)
    }

    /// The counters of a slot.
    pub(crate) fn counters(&self, slot: u16) -> Result<wire::TargetCounters, Error> {
        let value = self
            .targets
            .lookup(&u32::from(slot).to_ne_bytes(), MapFlags::ANY)
            .map_err(Error::map("targets"))?;
        Ok(value.as_deref().and_then(wire::target).unwrap_or_default())
    }

    /// Look-ups of task storage that failed so far, in all targets.
    pub(crate) fn lookup_failures(&self) -> Result<u64, Error> {
        let value = self.globals.lookup(&0u32.to_ne_bytes(), MapFlags::ANY).map_err(Error::map("globals"))?;
        let offset = offset_of!(types::bss, lookup_failures);
        Ok(value.as_deref().and_then(|bytes| wire::u64_at(bytes, offset)).unwrap_or_default())
    }

    /// Program runs that the kernel skipped so far, in all targets.
    pub(crate) fn recursion_misses(&self) -> Result<u64, Error> {
        self.programs.iter().try_fold(0u64, |sum, program| Ok(sum + recursion_misses(program.as_fd())?))
    }

    /// Empties the rows of a slot, and marks in them which calls are captured.
    fn clear(&self, slot: u16, captures: &Captures) -> Result<(), Error> {
        let first = vec![0; wire::FIRST_ROW];
        for abi in 0..wire::ABIS {
            let (seen, config) = wire::capture_rows(abi, captures);
            let at = u32::from(slot) * wire::ABIS + abi;
            self.captures
                .update(&at.to_ne_bytes(), &config, MapFlags::ANY)
                .map_err(Error::map("captures"))?;
            for phase in Phase::ALL {
                let key = wire::row(slot.into(), wire::phase_number(phase), abi).to_ne_bytes();
                self.seen.update(&key, &seen, MapFlags::ANY).map_err(Error::map("seen"))?;
                self.first.update(&key, &first, MapFlags::ANY).map_err(Error::map("first"))?;
            }
        }
        for (map, name) in [(&self.odd, "odd"), (&self.values, "values")] {
            for key in map.keys().filter(|key| wire::is_of_slot(key, slot)) {
                map.delete(&key).map_err(Error::map(name))?;
            }
        }
        let tally = vec![0; size_of::<types::signal_tally>()];
        self.signals
            .update(&u32::from(slot).to_ne_bytes(), &tally, MapFlags::ANY)
            .map_err(Error::map("signals"))
    }
}

fn configure(open: &mut OpenRecorderSkel<'_>, config: Config) -> libbpf_rs::Result<()> {
    let rows = u32::from(config.slots) * wire::ROWS;
    open.maps.targets.set_max_entries(u32::from(config.slots))?;
    open.maps.signals.set_max_entries(u32::from(config.slots))?;
    open.maps.seen.set_max_entries(rows)?;
    open.maps.first.set_max_entries(rows)?;
    open.maps.captures.set_max_entries(u32::from(config.slots) * wire::ABIS)?;
    if config.count_calls {
        open.maps.counts.set_max_entries(rows)?;
    }
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.count_calls = config.count_calls;
    }
    Ok(())
}

/// Membership is kept by the programs that are attached first; the one that records comes last.
fn attach(skel: &RecorderSkel<'_>) -> Result<Vec<Link>, Error> {
    let programs = [
        ("on_newtask", &skel.progs.on_newtask),
        ("on_exit", &skel.progs.on_exit),
        ("on_exec", &skel.progs.on_exec),
        ("on_signal", &skel.progs.on_signal),
        ("on_sys_enter", &skel.progs.on_sys_enter),
    ];
    programs
        .into_iter()
        .map(|(program, prog)| prog.attach_trace().map_err(|source| Error::Attach { program, source }))
        .collect()
}

fn program_fds(skel: &RecorderSkel<'_>) -> Result<Vec<OwnedFd>, Error> {
    let own = |program: &Program<'_>| program.as_fd().try_clone_to_owned();
    [
        own(&skel.progs.on_newtask),
        own(&skel.progs.on_exit),
        own(&skel.progs.on_exec),
        own(&skel.progs.on_sys_enter),
    ]
    .into_iter()
    .collect::<Result<_, _>>()
    .map_err(Error::system("keep the BPF programs"))
}
