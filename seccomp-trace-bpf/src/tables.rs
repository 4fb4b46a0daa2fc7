//! The maps of an instance and what is done with one slot of them, by whoever has handles: the process that loaded
//! the instance, or one that found it pinned.

use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd};

use libbpf_rs::{MapCore, MapFlags, MapHandle};
use seccomp_trace_core::{Captures, Losses, Phase};

use crate::array::{Array, LargeArray};
use crate::libbpf::give_storage;
use crate::skel::recorder::types;
use crate::skipped::{self, Spared};
use crate::wire::NewTarget;
use crate::{Error, wire};

/// What is particular to one target.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetConfig {
    pub(crate) events: bool,
    pub(crate) captures: Captures,
}

/// Handles to what a recording is made of.
pub(crate) struct Tables {
    pub(crate) count_calls: bool,
    pub(crate) tasks: MapHandle,
    pub(crate) targets: Array,
    pub(crate) seen: Array,
    pub(crate) first: LargeArray,
    pub(crate) counts: MapHandle,
    pub(crate) captures: Array,
    pub(crate) values: MapHandle,
    pub(crate) odd: MapHandle,
    pub(crate) entrances: MapHandle,
    pub(crate) globals: Array,
    pub(crate) seeding: Array,
    /// The programs whose misses are losses.
    pub(crate) programs: Vec<Spared>,
}

impl Tables {
    /// All maps, in the order of the fields.
    pub(crate) fn maps_mut(&mut self) -> [&mut MapHandle; 11] {
        [
            &mut self.tasks,
            self.targets.handle_mut(),
            self.seen.handle_mut(),
            self.first.handle_mut(),
            &mut self.counts,
            self.captures.handle_mut(),
            &mut self.values,
            &mut self.odd,
            &mut self.entrances,
            self.globals.handle_mut(),
            self.seeding.handle_mut(),
        ]
    }

    /// Empties a slot and gives it a new generation and one live task.
    pub(crate) fn begin(&self, slot: u16, generation: u32, config: &TargetConfig) -> Result<(), Error> {
        self.clear(slot, &config.captures)?;
        self.reset(slot, generation, NewTarget { events: config.events, by_cgroup: false, tasks: 1 });
        Ok(())
    }

    /// Sets the counters of a slot, none of whose tasks has been armed yet, to those of a new target.
    pub(crate) fn reset(&self, slot: u16, generation: u32, new: NewTarget) {
        let value = wire::new_target(generation, new);
        self.targets.write(slot.into(), &value);
    }

    /// Records that the target of `slot` is nobody's: no task is counted, and none joins it.
    pub(crate) fn disarm(&self, slot: u16) {
        let empty = vec![0; size_of::<types::target>()];
        self.targets.write(slot.into(), &empty);
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
        give_storage(&self.tasks, pidfd, &value)
    }

    /// Whether the process that `pidfd` refers to is a member of this target.
    pub(crate) fn is_member(&self, pidfd: BorrowedFd<'_>, slot: u16, generation: u32) -> bool {
        let value = self.tasks.lookup(&pidfd.as_raw_fd().to_ne_bytes(), MapFlags::ANY).ok().flatten();
        value.as_deref().and_then(wire::member_of) == Some((slot, generation))
    }

    /// The counters of a slot.
    pub(crate) fn counters(&self, slot: u16) -> wire::TargetCounters {
        wire::target(&self.targets.read(slot.into())).unwrap_or_default()
    }

    /// Look-ups of task storage that failed so far, in all targets.
    pub(crate) fn lookup_failures(&self) -> u64 {
        wire::u64_at(&self.globals.read(0), offset_of!(types::bss, lookup_failures)).unwrap_or_default()
    }

    /// Program runs that the kernel skipped so far and nothing stood in for, in all targets.
    pub(crate) fn recursion_misses(&self) -> Result<u64, Error> {
        skipped::misses(&self.programs)
    }

    /// What was lost so far of whatever target.
    pub(crate) fn losses(&self) -> Result<Losses, Error> {
        Ok(Losses {
            lookup_failures: self.lookup_failures(),
            recursion_misses: self.recursion_misses()?,
            ..Losses::default()
        })
    }

    /// Whether the kernel has skipped a program, so that the count of live tasks may be wrong, if only for a while.
    pub(crate) fn may_miscount(&self) -> Result<bool, Error> {
        skipped::any(&self.programs)
    }

    /// Empties the rows of a slot, and marks in them which calls are captured.
    fn clear(&self, slot: u16, captures: &Captures) -> Result<(), Error> {
        for abi in 0..wire::ABIS {
            let (seen, config) = wire::capture_rows(abi, captures);
            self.captures.write(u32::from(slot) * wire::ABIS + abi, &config);
            for phase in Phase::ALL {
                let row = wire::row(slot.into(), wire::phase_number(phase), abi);
                if self.seen.read(row).iter().any(|byte| *byte != 0) {
                    self.first.value(row)?.write(0, &vec![0; size_of::<types::first_row>()]);
                }
                self.seen.write(row, &seen);
            }
        }
        for (map, name) in [(&self.odd, "odd"), (&self.values, "values")] {
            delete_where(map, name, |key| wire::is_of_slot(key, slot))?;
        }
        Ok(())
    }

    /// Lets processes that were started outside enter the container of `slot`.
    pub(crate) fn open_entrances(
        &self,
        slot: u16,
        generation: u32,
        entrances: &[wire::Entrance],
    ) -> Result<(), Error> {
        for entrance in entrances {
            let (key, value) = wire::entrance(slot, generation, *entrance);
            self.entrances.update(&key, &value, MapFlags::ANY).map_err(Error::map("entrances"))?;
        }
        Ok(())
    }

    /// Lets nobody enter the container of `slot` any more.
    pub(crate) fn close_entrances(&self, slot: u16) -> Result<(), Error> {
        let is_of_slot = |key: &Vec<u8>| {
            let value = self.entrances.lookup(key, MapFlags::ANY).ok().flatten();
            value.is_none_or(|value| wire::entrance_slot(&value) == Some(slot.into()))
        };
        delete_where(&self.entrances, "entrances", is_of_slot)
    }
}

/// Deletes keys of a map. They are collected first: a deleted key does not tell which is the next.
pub(crate) fn delete_where(
    map: &MapHandle,
    name: &'static str,
    unwanted: impl FnMut(&Vec<u8>) -> bool,
) -> Result<(), Error> {
    let keys: Vec<Vec<u8>> = map.keys().filter(unwanted).collect();
    for key in keys {
        match map.delete(&key) {
            // Somebody else was faster.
            Err(error) if error.kind() == libbpf_rs::ErrorKind::NotFound => {}
            other => other.map_err(Error::map(name))?,
        }
    }
    Ok(())
}
