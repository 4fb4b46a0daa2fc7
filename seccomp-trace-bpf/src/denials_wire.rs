//! Reading and writing the values of the object that sees denials; see `wire`.

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};

use seccomp_trace_core::{Answer, Circumstances, Denial, FirstSeen, Syscall, Tgid, Tid, Watch, Watched};

use crate::clock::Clock;
use crate::skel::denials::types;
use crate::wire::{ABIS, NR_MAX, arch_of, u32_at, u64_at, who};

/// The slot that a key of the `denials` or `denied_args` map belongs to.
pub(crate) fn slot(key: &[u8]) -> Option<u16> {
    u32_at(key, offset_of!(types::denied_key, slot)).and_then(|slot| u16::try_from(slot).ok())
}

/// Decodes an entry of `denials`, still without arguments. `None`: too short, or of a kind that is not known.
pub(crate) fn denial(key: &[u8], value: &[u8], clock: Clock) -> Option<Denial> {
    let byte = |offset: usize| key.get(offset).copied();
    let arch = arch_of(u32::from(byte(offset_of!(types::denied_key, abi))?))?;
    let nr = i32_at(key, offset_of!(types::denied_key, nr))?;
    let result = i32_at(key, offset_of!(types::denied_key, result))?;
    let at = offset_of!(types::denied_key, circumstances);
    let bits = u16::from_ne_bytes(key.get(at..at + 2)?.try_into().ok()?);
    let first = who(value.get(offset_of!(types::denied, first)..)?)?;
    Some(Denial {
        call: Syscall::new(arch, nr),
        answer: answer(byte(offset_of!(types::denied_key, answer))?, result)?,
        circumstances: circumstances(bits),
        count: u64_at(value, offset_of!(types::denied, count))?,
        first: FirstSeen {
            time: clock.wall(first.time_ns),
            pid: Tgid(first.tgid),
            tid: Tid(first.tid),
            comm: first.comm,
        },
        args: BTreeMap::new(),
        others: u64_at(value, offset_of!(types::denied, others))?,
    })
}

fn answer(number: u8, result: i32) -> Option<Answer> {
    Some(match types::answer(number.into()) {
        types::answer::ANSWER_RESULT if result < 0 => Answer::Errno(u16::try_from(-result).ok()?),
        types::answer::ANSWER_RESULT => Answer::Result,
        types::answer::ANSWER_SIGNAL => Answer::Signal,
        types::answer::ANSWER_KILLED => Answer::Killed,
        types::answer::ANSWER_EXECUTED => Answer::Executed,
        _ => return None,
    })
}

fn circumstances(bits: u16) -> Circumstances {
    let has = |flag: types::circumstances| u32::from(bits) & flag.0 != 0;
    Circumstances {
        setup: has(types::circumstances::DURING_SETUP),
        own_filters: has(types::circumstances::DURING_FILTERS),
        traced: has(types::circumstances::DURING_TRACE),
        emulated: has(types::circumstances::DURING_EMULATION),
        starting: has(types::circumstances::DURING_START),
    }
}

/// Decodes an entry of `denied_args`: the arguments and how often they were passed.
pub(crate) fn args(key: &[u8], value: &[u8]) -> Option<([u64; 6], u64)> {
    let at = |index: usize| u64_at(key, offset_of!(types::denied_args_key, args) + index * size_of::<u64>());
    Some(([at(0)?, at(1)?, at(2)?, at(3)?, at(4)?, at(5)?], u64_at(value, 0)?))
}

/// Decodes a `struct denied_losses`: calls without room, threads without storage.
pub(crate) fn losses(value: &[u8]) -> Option<(u64, u64)> {
    Some((
        u64_at(value, offset_of!(types::denied_losses, overflow))?,
        u64_at(value, offset_of!(types::denied_losses, storage_failures))?,
    ))
}

/// A `struct denied_losses` of a new target.
pub(crate) fn no_losses() -> [u8; size_of::<types::denied_losses>()] {
    [0; size_of::<types::denied_losses>()]
}

/// The `struct watch_row` of each ABI that is watched.
pub(crate) fn watch_rows(watch: &Watch) -> Vec<(u32, Vec<u8>)> {
    let row = |abi: u32| {
        let watched = watch.get(&arch_of(abi)?)?;
        let mut row = vec![0; size_of::<types::watch_row>()];
        row[offset_of!(types::watch_row, others)] = how(watched.others);
        for (nr, byte) in (0i32..).zip(row.iter_mut().take(NR_MAX)) {
            *byte =
                how(watched.calls.get(&seccomp_trace_core::SyscallNr(nr)).copied().unwrap_or(watched.others));
        }
        Some((abi, row))
    };
    (0..ABIS).filter_map(row).collect()
}

fn how(watched: Watched) -> u8 {
    let flag = |flag: types::watch_flags| flag.0.to_le_bytes()[0];
    let all = flag(types::watch_flags::WATCH_ARGS);
    match watched {
        Watched::Never => 0,
        Watched::Always => flag(types::watch_flags::WATCH_CALL) | all,
        Watched::Tested(mask) => {
            flag(types::watch_flags::WATCH_CALL) | flag(types::watch_flags::WATCH_TESTED) | mask & all
        }
    }
}

fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    u32_at(bytes, offset).map(|value| i32::from_ne_bytes(value.to_ne_bytes()))
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, SyscallNr, WatchedAbi};

    use super::*;

    fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    }

    fn key() -> Vec<u8> {
        let mut key = vec![0; size_of::<types::denied_key>()];
        put(&mut key, offset_of!(types::denied_key, slot), &2u32.to_ne_bytes());
        put(&mut key, offset_of!(types::denied_key, nr), &(-1i32).to_ne_bytes());
        put(&mut key, offset_of!(types::denied_key, result), &(-38i32).to_ne_bytes());
        put(&mut key, offset_of!(types::denied_key, circumstances), &0b10u16.to_ne_bytes());
        key
    }

    fn value() -> Vec<u8> {
        let mut value = vec![0; size_of::<types::denied>()];
        put(&mut value, offset_of!(types::denied, count), &5u64.to_ne_bytes());
        put(&mut value, offset_of!(types::denied, others), &3u64.to_ne_bytes());
        let first = offset_of!(types::denied, first);
        put(&mut value, first + offset_of!(types::first_seen, time_ns), &7u64.to_ne_bytes());
        put(&mut value, first + offset_of!(types::first_seen, tgid), &9u32.to_ne_bytes());
        value
    }

    #[test]
    fn a_denial_is_decoded() {
        let found = denial(&key(), &value(), Clock::fixed(0)).unwrap();
        assert_eq!(found.call, Syscall::new(Arch::native().unwrap(), -1));
        assert_eq!((found.answer, found.count, found.others), (Answer::Errno(38), 5, 3));
        assert_eq!(found.circumstances, Circumstances { own_filters: true, ..Circumstances::default() });
        assert_eq!((found.first.pid, slot(&key())), (Tgid(9), Some(2)));
    }

    /// A map of another version must not be taken for one of ours.
    #[test]
    fn what_is_too_short_or_of_an_unknown_kind_is_no_denial() {
        let clock = Clock::fixed(0);
        let needed = offset_of!(types::denied_key, result) + 4;
        for len in 0..needed {
            assert_eq!(denial(&key()[..len], &value(), clock), None, "a key of {len} bytes");
        }
        let needed = offset_of!(types::denied, first) + size_of::<types::first_seen>();
        for len in 0..needed {
            assert_eq!(denial(&key(), &value()[..len], clock), None, "a value of {len} bytes");
        }
        for (offset, unknown) in
            [(offset_of!(types::denied_key, abi), 3), (offset_of!(types::denied_key, answer), 4)]
        {
            let mut key = key();
            key[offset] = unknown;
            assert_eq!(denial(&key, &value(), clock), None, "{offset}");
        }
        assert_eq!(slot(&[0; 3]), None);
        assert_eq!(losses(&[0; 12]), None);
        let long = vec![1; size_of::<types::denied_args_key>()];
        assert_eq!(args(&long, &[0; 7]), None);
        assert_eq!(args(&long[..long.len() - 1], &[0; 8]), None);
    }

    #[test]
    fn each_watched_call_has_its_byte_and_the_others_theirs() {
        let native = Arch::native().unwrap();
        let calls = BTreeMap::from([
            (SyscallNr(3), Watched::Never),
            (SyscallNr(5), Watched::Tested(0b101)),
            (SyscallNr(9999), Watched::Never),
        ]);
        let watch = Watch::from([(native, WatchedAbi { calls, others: Watched::Always })]);
        let rows = watch_rows(&watch);
        let [(0, row)] = rows.as_slice() else { panic!("one row, of the native ABI: {rows:?}") };
        let always = how(Watched::Always);
        assert_eq!((row[3], row[4]), (0, always));
        assert_eq!(row[offset_of!(types::watch_row, others)], always);
        assert_eq!(
            u32::from(row[5]) & types::watch_flags::WATCH_ARGS.0,
            0b101,
            "the arguments that are kept"
        );
        assert_ne!(u32::from(row[5]) & types::watch_flags::WATCH_TESTED.0, 0);
        assert_eq!(u32::from(always) & types::watch_flags::WATCH_ARGS.0, 0b11_1111);
    }
}
