//! Events from the ring: decoding, and their distribution to the targets of an instance.

use std::collections::VecDeque;
use std::mem::{offset_of, size_of};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use libbpf_rs::{MapCore, RingBuffer, RingBufferBuilder};
use seccomp_trace_core::{Event, FirstSeen, Syscall, Tgid, Tid};

use crate::clock::Clock;
use crate::skel::recorder::types;
use crate::{Error, wire};

/// Events of one target that wait for its reader; more are dropped and counted.
const QUEUE: usize = 4096;

/// Why the bytes of a record are not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("a record of {0} bytes")]
    Length(usize),
    #[error("unknown kind {0}")]
    Kind(u32),
    #[error("unknown phase {0}")]
    Phase(u8),
    #[error("unknown ABI {0}")]
    Abi(u8),
    #[error("nobody made the call")]
    Nobody,
}

/// A decoded record: whose it is, and what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) event: Event,
}

/// Decodes one record of the ring.
pub(crate) fn decode(bytes: &[u8], clock: Clock) -> Result<Record, DecodeError> {
    let length = DecodeError::Length(bytes.len());
    if bytes.len() != size_of::<types::event>() {
        return Err(length);
    }
    let field = |offset| wire::u32_at(bytes, offset).ok_or(length);
    let byte = |offset: usize| bytes.get(offset).copied().ok_or(length);
    let who = wire::who(&bytes[offset_of!(types::event, who)..]).ok_or(DecodeError::Nobody)?;
    let time = clock.wall(who.time_ns);
    let event = match types::event_kind(field(offset_of!(types::event, kind))?) {
        types::event_kind::EVENT_NEW_SYSCALL => {
            let (phase, abi) = (byte(offset_of!(types::event, phase))?, byte(offset_of!(types::event, abi))?);
            let arch = wire::arch_of(abi.into()).ok_or(DecodeError::Abi(abi))?;
            let nr = i32::from_ne_bytes(field(offset_of!(types::event, nr))?.to_ne_bytes());
            Event::NewSyscall {
                call: Syscall::new(arch, nr),
                phase: wire::phase_of(phase.into()).ok_or(DecodeError::Phase(phase))?,
                first: FirstSeen { time, pid: Tgid(who.tgid), tid: Tid(who.tid), comm: who.comm },
            }
        }
        types::event_kind::EVENT_EXEC => Event::Exec { pid: Tgid(who.tgid), time },
        types::event_kind::EVENT_ENDED => Event::TargetEnded { time },
        other => return Err(DecodeError::Kind(other.0)),
    };
    Ok(Record {
        slot: field(offset_of!(types::event, slot))?,
        generation: field(offset_of!(types::event, generation))?,
        event,
    })
}

/// What waits for the reader of one slot.
#[derive(Debug, Default)]
struct Queue {
    generation: u32,
    events: VecDeque<Event>,
    lost: u64,
}

/// The ring of an instance and the queues of its slots.
pub(crate) struct Ring {
    ring: Mutex<RingBuffer<'static>>,
    queues: Arc<Mutex<Vec<Queue>>>,
}

impl Ring {
    pub(crate) fn new(map: &dyn MapCore, slots: u16, clock: Clock) -> Result<Self, Error> {
        let queues: Arc<Mutex<Vec<Queue>>> =
            Arc::new(Mutex::new((0..slots).map(|_| Queue::default()).collect()));
        let sorted = Arc::clone(&queues);
        let mut builder = RingBufferBuilder::new();
        builder
            .add(map, move |bytes| {
                sort(&sorted, bytes, clock);
                0
            })
            .map_err(Error::map("events"))?;
        Ok(Self { ring: Mutex::new(builder.build().map_err(Error::map("events"))?), queues })
    }

    /// The descriptor that becomes readable when there are records.
    pub(crate) fn epoll_fd(&self) -> i32 {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).epoll_fd()
    }

    /// Starts the queue of a new target.
    pub(crate) fn open(&self, slot: u16, generation: u32) {
        if let Some(queue) = self.queues().get_mut(usize::from(slot)) {
            *queue = Queue { generation, ..Queue::default() };
        }
    }

    /// Takes the events of a slot that have arrived, and the number that found no room here.
    pub(crate) fn take(&self, slot: u16) -> Result<(Vec<Event>, u64), Error> {
        self.ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .poll(Duration::ZERO)
            .map_err(Error::map("events"))?;
        Ok(match self.queues().get_mut(usize::from(slot)) {
            Some(queue) => (queue.events.drain(..).collect(), std::mem::take(&mut queue.lost)),
            None => (Vec::new(), 0),
        })
    }

    fn queues(&self) -> std::sync::MutexGuard<'_, Vec<Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a record into its slot's queue. Called from C, so it must not panic.
fn sort(queues: &Mutex<Vec<Queue>>, bytes: &[u8], clock: Clock) {
    let Ok(record) = decode(bytes, clock) else { return };
    let mut queues = queues.lock().unwrap_or_else(PoisonError::into_inner);
    let queue = usize::try_from(record.slot).ok().and_then(|slot| queues.get_mut(slot));
    // A record of the slot's former target has no reader any more.
    let Some(queue) = queue.filter(|queue| queue.generation == record.generation) else { return };
    if queue.events.len() < QUEUE {
        queue.events.push_back(record.event);
    } else {
        queue.lost += 1;
    }
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, Phase};

    use super::*;

    fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    }

    fn record() -> Vec<u8> {
        let mut bytes = vec![0; size_of::<types::event>()];
        put(&mut bytes, offset_of!(types::event, kind), &1u32.to_ne_bytes());
        put(&mut bytes, offset_of!(types::event, slot), &2u32.to_ne_bytes());
        put(&mut bytes, offset_of!(types::event, generation), &7u32.to_ne_bytes());
        put(&mut bytes, offset_of!(types::event, phase), &[2]);
        put(&mut bytes, offset_of!(types::event, nr), &20u32.to_ne_bytes());
        let who = offset_of!(types::event, who);
        put(&mut bytes, who + offset_of!(types::first_seen, time_ns), &5u64.to_ne_bytes());
        put(&mut bytes, who + offset_of!(types::first_seen, tgid), &9u32.to_ne_bytes());
        bytes
    }

    #[test]
    fn a_new_syscall_is_decoded() {
        let record = decode(&record(), Clock::fixed(0)).unwrap();
        assert_eq!((record.slot, record.generation), (2, 7));
        let Event::NewSyscall { call, phase, first } = record.event else { panic!("{record:?}") };
        assert_eq!(call, Syscall::new(Arch::native().unwrap(), 20));
        assert_eq!((phase, first.pid), (Phase::Workload, Tgid(9)));
    }

    #[test]
    fn what_is_not_a_record_is_an_error_that_says_why() {
        let clock = Clock::fixed(0);
        let good = record();
        for len in 0..good.len() {
            assert_eq!(decode(&good[..len], clock), Err(DecodeError::Length(len)));
        }
        let long = [good.clone(), vec![0]].concat();
        assert_eq!(decode(&long, clock), Err(DecodeError::Length(long.len())));
        let with = |offset, value: &[u8]| {
            let mut bytes = good.clone();
            put(&mut bytes, offset, value);
            decode(&bytes, clock)
        };
        assert_eq!(with(offset_of!(types::event, kind), &[9, 0, 0, 0]), Err(DecodeError::Kind(9)));
        assert_eq!(with(offset_of!(types::event, phase), &[3]), Err(DecodeError::Phase(3)));
        assert_eq!(with(offset_of!(types::event, abi), &[3]), Err(DecodeError::Abi(3)));
        assert_eq!(with(offset_of!(types::event, who), &[0; 8]), Err(DecodeError::Nobody));
    }
}
