//! Reading the values of the tally's maps.

use std::mem::{offset_of, size_of};
use std::time::Duration;

use seccomp_trace_core::{Comm, Syscall, Tgid, Tid};

use super::{TallyBy, TallyGroup, TallyRow};
use crate::skel::tally::types;
use crate::wire::{ABIS, arch_of, phase_of, u32_at, u64_at};

/// Size of the value of `totals`.
pub(super) const ROW: usize = size_of::<types::tally_row>();
const CELL: usize = size_of::<types::tally_cell>();

/// Calls, errors and nanoseconds of one call, summed over the CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cell {
    pub(super) calls: u64,
    errors: u64,
    ns: u64,
}

impl Cell {
    /// Sums what the CPUs have at an offset of their values.
    pub(super) fn sum(cpus: &[Vec<u8>], at: usize) -> Self {
        cpus.iter().filter_map(|cpu| Self::read(cpu.get(at..)?)).fold(Self::default(), |sum, cell| Self {
            calls: sum.calls + cell.calls,
            errors: sum.errors + cell.errors,
            ns: sum.ns + cell.ns,
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            calls: u64_at(bytes, offset_of!(types::tally_cell, calls))?,
            errors: u64_at(bytes, offset_of!(types::tally_cell, errors))?,
            ns: u64_at(bytes, offset_of!(types::tally_cell, ns))?,
        })
    }

    pub(super) fn row(self, group: TallyGroup, call: Syscall) -> TallyRow {
        TallyRow::new(group, call, self.calls, self.errors, Duration::from_nanos(self.ns))
    }
}

/// The calls of a row of `totals` that were made.
pub(super) fn row(abi: u32, cpus: &[Vec<u8>]) -> Vec<(Syscall, Cell)> {
    let Some(arch) = arch_of(abi) else { return Vec::new() };
    (0i32..)
        .zip((0..ROW).step_by(CELL))
        .map(|(nr, at)| (Syscall::new(arch, nr), Cell::sum(cpus, at)))
        .filter(|(_, cell)| cell.calls > 0)
        .collect()
}

/// The key of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) slot: u32,
    pub(super) call: Syscall,
    pub(super) group: u64,
}

pub(super) fn key(bytes: &[u8]) -> Option<Key> {
    let row = u32_at(bytes, offset_of!(types::tally_key, row))?;
    let nr = i32::from_ne_bytes(u32_at(bytes, offset_of!(types::tally_key, nr))?.to_ne_bytes());
    Some(Key {
        slot: row / ABIS,
        call: Syscall::new(arch_of(row % ABIS)?, nr),
        group: u64_at(bytes, offset_of!(types::tally_key, group))?,
    })
}

/// What the number of a group means.
pub(super) fn group(by: TallyBy, number: u64, comm: Comm) -> Option<TallyGroup> {
    let id = u32::try_from(number).ok()?;
    Some(match by {
        TallyBy::All => TallyGroup::All,
        TallyBy::Process => TallyGroup::Process(Tgid(id), comm),
        TallyBy::Thread => TallyGroup::Thread(Tid(id), comm),
        TallyBy::Phase => TallyGroup::Phase(phase_of(id)?),
    })
}

/// The number of a way to count in `enum tally_by`.
pub(super) fn by_number(by: TallyBy) -> u32 {
    match by {
        TallyBy::All => types::tally_by::TALLY_ALL.0,
        TallyBy::Process => types::tally_by::TALLY_PROCESS.0,
        TallyBy::Thread => types::tally_by::TALLY_THREAD.0,
        TallyBy::Phase => types::tally_by::TALLY_PHASE.0,
    }
}

/// Calls that are in no row, of `struct tally_counters`.
pub(super) fn uncounted(bytes: &[u8]) -> Option<u64> {
    u64_at(bytes, offset_of!(types::tally_counters, uncounted))
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, Phase};

    use super::*;

    fn cpu(calls: u64, errors: u64, ns: u64) -> Vec<u8> {
        let mut bytes = vec![0; ROW];
        for (offset, value) in [
            (offset_of!(types::tally_cell, calls), calls),
            (offset_of!(types::tally_cell, errors), errors),
            (offset_of!(types::tally_cell, ns), ns),
        ] {
            bytes[CELL + offset..CELL + offset + 8].copy_from_slice(&value.to_ne_bytes());
        }
        bytes
    }

    /// A thread can enter a call on one CPU and leave it on another; each CPU has a part of the sum.
    #[test]
    fn what_the_cpus_counted_is_summed() {
        let cpus = [cpu(3, 1, 50), cpu(4, 0, 7)];
        let native = Arch::native().unwrap();
        let expected = (Syscall::new(native, 1), Cell { calls: 7, errors: 1, ns: 57 });
        assert_eq!(row(0, &cpus), [expected]);
        assert_eq!(row(0, &[vec![0; ROW]]), [], "what was not made has no row");
    }

    #[test]
    fn short_keys_and_unknown_phases_are_nobodys() {
        let mut bytes = vec![0; size_of::<types::tally_key>()];
        assert_eq!(key(&bytes).unwrap().slot, 0);
        bytes.pop();
        assert_eq!(key(&bytes), None);
        let comm = Comm::parse("sh").unwrap();
        assert_eq!(group(TallyBy::Phase, 2, comm), Some(TallyGroup::Phase(Phase::Workload)));
        assert_eq!(group(TallyBy::Phase, 9, comm), None);
        assert_eq!(group(TallyBy::Process, u64::MAX, comm), None);
    }
}
