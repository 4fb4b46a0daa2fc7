//! From the tables of a slot to a recording.

use libbpf_rs::{MapCore, MapFlags};
use seccomp_trace_core::{FirstSeen, Observation, Phase, Recording, Syscall, Tgid, Tid};

use crate::clock::Clock;
use crate::skel::recorder::types;
use crate::tables::Tables;
use crate::{Error, captures, wire};

/// Adds everything that the tables of `slot` hold to `recording`. Takes nothing away from them.
pub(crate) fn read(tables: &Tables, slot: u16, clock: Clock, recording: &mut Recording) -> Result<(), Error> {
    for phase in Phase::ALL {
        for abi in 0..wire::ABIS {
            let row = wire::row(slot.into(), wire::phase_number(phase), abi);
            let seen = tables.seen.read(row);
            if !seen.iter().copied().any(wire::was_seen) {
                continue;
            }
            let captured = captures::read(tables, slot, row, abi)?;
            let firsts = tables.first.value(row)?;
            let first = |nr| firsts.read(nr * wire::FIRST_SEEN, wire::FIRST_SEEN);
            let counts = if tables.count_calls { Some(count_row(tables, row)?) } else { None };
            for (call, mut observation) in calls(abi, &seen, first, counts.as_deref(), clock) {
                observation.args = captured.get(&call).cloned();
                recording.observe(call, phase, observation);
            }
        }
    }
    odd_calls(tables, slot, clock, recording)
}

/// The calls of one row.
fn calls<'a>(
    abi: u32,
    seen: &'a [u8],
    first: impl Fn(usize) -> Vec<u8> + 'a,
    counts: Option<&'a [u64]>,
    clock: Clock,
) -> impl Iterator<Item = (Syscall, Observation)> + 'a {
    let arch = wire::arch_of(abi);
    (0i32..).zip(seen.iter().enumerate()).filter_map(move |(nr, (index, byte))| {
        let arch = arch.filter(|_| wire::was_seen(*byte))?;
        let who = wire::who(&first(index));
        let count = counts.and_then(|counts| counts.get(index).copied());
        Some((
            Syscall::new(arch, nr),
            Observation { first: who.map(|who| first_seen(who, clock)), count, args: None },
        ))
    })
}

/// The calls whose numbers are outside the tables.
fn odd_calls(tables: &Tables, slot: u16, clock: Clock, recording: &mut Recording) -> Result<(), Error> {
    for key in tables.odd.keys().filter(|key| wire::is_of_slot(key, slot)) {
        let (Some(row), Some(nr)) = (wire::u32_at(&key, 0), wire::u32_at(&key, 4)) else { continue };
        let Some(value) = tables.odd.lookup(&key, MapFlags::ANY).map_err(Error::map("odd"))? else {
            continue;
        };
        let within = row % wire::ROWS;
        let (Some(phase), Some(arch)) =
            (wire::phase_of(within / wire::ABIS), wire::arch_of(within % wire::ABIS))
        else {
            continue;
        };
        let who = value.get(std::mem::offset_of!(types::odd_value, first)..).and_then(wire::who);
        let count = wire::u64_at(&value, std::mem::offset_of!(types::odd_value, count));
        let observation = Observation {
            first: who.map(|who| first_seen(who, clock)),
            count: count.filter(|_| tables.count_calls),
            args: None,
        };
        recording.observe(Syscall::new(arch, i32::from_ne_bytes(nr.to_ne_bytes())), phase, observation);
    }
    Ok(())
}

/// The counts of one row, summed over the CPUs.
fn count_row(tables: &Tables, row: u32) -> Result<Vec<u64>, Error> {
    let per_cpu = tables
        .counts
        .lookup_percpu(&row.to_ne_bytes(), MapFlags::ANY)
        .map_err(Error::map("counts"))?
        .unwrap_or_default();
    let mut sums = vec![0u64; wire::NR_MAX];
    for cpu in &per_cpu {
        for (index, sum) in sums.iter_mut().enumerate() {
            *sum += wire::u64_at(cpu, index * size_of::<u64>()).unwrap_or_default();
        }
    }
    Ok(sums)
}

fn first_seen(who: wire::Who, clock: Clock) -> FirstSeen {
    FirstSeen { time: clock.wall(who.time_ns), pid: Tgid(who.tgid), tid: Tid(who.tid), comm: who.comm }
}
