//! From records to events, sorted by the targets whose they are.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use seccomp_trace_core::{Call, Event, Exited, Outcome, Read, Signal, Tgid, Tid, Timestamp, View, When};

use super::data::{self, Item};
use super::decode::{DecodeError, End, Head, Record, Shown, decode};
use super::plan::READS;
use crate::clock::Clock;

/// Events of one target that wait for its reader, while that of another reads; more are dropped and counted.
const QUEUE: usize = 65536;
/// Calls of one target whose items were sent ahead and that have not come. Those of calls that were lost stay here.
const AHEAD: usize = 1024;

/// What waits for the reader of one slot.
#[derive(Debug, Default)]
struct Queue {
    generation: u32,
    events: VecDeque<Event>,
    lost: u64,
    /// By thread: the number of its call, and the items of it that were sent ahead.
    ahead: HashMap<u32, (u32, Vec<Item>)>,
}

/// The queues of all slots.
#[derive(Debug)]
pub(crate) struct Inbox {
    queues: Vec<Queue>,
    view: View,
    clock: Clock,
    /// Records that were read since this was set to 0.
    pub(crate) read: usize,
}

impl Inbox {
    pub(crate) fn new(slots: u16, view: View, clock: Clock) -> Self {
        Self { queues: (0..slots).map(|_| Queue::default()).collect(), view, clock, read: 0 }
    }

    /// Starts the queue of a new target.
    pub(crate) fn open(&mut self, slot: u16, generation: u32) {
        if let Some(queue) = self.queues.get_mut(usize::from(slot)) {
            *queue = Queue { generation, ..Queue::default() };
        }
    }

    /// Takes what has arrived for a slot, in the order of the times at which it began, and the number of events that
    /// found no room here.
    pub(crate) fn take(&mut self, slot: u16) -> (Vec<Event>, u64) {
        let Some(queue) = self.queues.get_mut(usize::from(slot)) else { return (Vec::new(), 0) };
        let mut events: Vec<Event> = queue.events.drain(..).collect();
        events.sort_by_key(began);
        (events, std::mem::take(&mut queue.lost))
    }

    /// Takes a record of the ring. Called from C, so it must not panic.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), DecodeError> {
        self.read += 1;
        let record = decode(bytes)?;
        let head = record.head();
        let queue = usize::try_from(head.slot).ok().and_then(|slot| self.queues.get_mut(slot));
        // A record of the slot's former target has no reader any more.
        let Some(queue) = queue.filter(|queue| queue.generation == head.generation) else { return Ok(()) };
        let event = match record {
            Record::Ahead(head, items) => {
                queue.put_ahead(head, items);
                return Ok(());
            }
            Record::Call(head, shown) => {
                let ahead = queue.ahead_of(head, &shown);
                Event::Call(Box::new(call(head, *shown, ahead, &self.view, self.clock)))
            }
            Record::Signal(head, info) => Event::Signal(Signal {
                pid: Tgid(head.tgid),
                tid: Tid(head.tid),
                time: self.clock.wall(head.time_ns),
                number: info.number,
                code: info.code,
                errno: info.errno,
                sender: info.sender,
                status: info.status,
                address: info.address,
                timer: info.timer,
                value: info.value,
                refused: info.refused,
            }),
            Record::Exit(head, status, by) => {
                queue.ahead.remove(&head.tid);
                Event::Exited(Exited {
                    pid: Tgid(head.tgid),
                    tid: Tid(head.tid),
                    time: self.clock.wall(head.time_ns),
                    status,
                    superseded_by: by.map(Tid),
                })
            }
        };
        if queue.events.len() < QUEUE {
            queue.events.push_back(event);
        } else {
            queue.lost += 1;
        }
        Ok(())
    }
}

impl Queue {
    fn put_ahead(&mut self, head: Head, items: Vec<Item>) {
        match self.ahead.get_mut(&head.tid) {
            Some((seq, known)) if *seq == head.seq => known.extend(items),
            _ => {
                if self.ahead.len() >= AHEAD {
                    self.ahead.clear();
                }
                self.ahead.insert(head.tid, (head.seq, items));
            }
        }
    }

    /// What was sent ahead of a call; it stays here for one that goes on.
    fn ahead_of(&mut self, head: Head, shown: &Shown) -> Vec<Item> {
        if !shown.parted || self.ahead.get(&head.tid).is_none_or(|(seq, _)| *seq != head.seq) {
            return Vec::new();
        }
        let found = match shown.end {
            End::Pending => self.ahead.get(&head.tid).cloned(),
            _ => self.ahead.remove(&head.tid),
        };
        found.map(|(_, items)| items).unwrap_or_default()
    }
}

/// A call from its record, the items that were sent ahead of it, and the view that asked for it.
pub(super) fn call(head: Head, shown: Shown, mut items: Vec<Item>, view: &View, clock: Clock) -> Call {
    let reads = view.reads.get(&shown.syscall).map_or(&[][..], Vec::as_slice);
    let mut missing = shown.missing;
    if shown.parted && items.is_empty() {
        // They were given up, or came before this target had a reader.
        let of_entry = |(index, read): (usize, &Read)| u8::from(read.when == When::Entry) << index;
        missing |= reads.iter().take(READS).enumerate().map(of_entry).fold(0, |mask, bit| mask | bit);
    }
    items.extend(shown.items);
    Call {
        syscall: shown.syscall,
        pid: Tgid(head.tgid),
        tid: Tid(head.tid),
        comm: shown.comm,
        args: shown.args,
        entered: clock.wall(head.time_ns),
        outcome: match shown.end {
            End::Returned => Outcome::Returned {
                value: shown.value,
                duration: Duration::from_nanos(shown.left_ns.saturating_sub(head.time_ns)),
            },
            End::Pending => Outcome::Pending,
            End::Never => Outcome::Never,
            End::Skipped => Outcome::Skipped { value: shown.value },
        },
        data: data::assemble(items, missing, reads),
    }
}

/// When something began; a thread's own events are in this order already.
fn began(event: &Event) -> Option<Timestamp> {
    match event {
        Event::Call(call) => Some(call.entered),
        Event::Signal(signal) => Some(signal.time),
        Event::Exited(exited) => Some(exited.time),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use seccomp_trace_core::{Arch, Bytes, Content, Datum, Extent, Syscall, What};

    use super::*;
    use crate::live::data::tests::encode;
    use crate::live::decode::tests::record;
    use crate::skel::live::types::{self, live_extent, live_item_kind, live_kind, live_outcome};
    use crate::wire;

    fn inbox() -> Inbox {
        let mut inbox = Inbox::new(2, View::default(), Clock::fixed(0));
        inbox.open(1, 3);
        inbox
    }

    fn item(read: u8, text: &[u8]) -> Vec<u8> {
        encode(read, read, live_item_kind::LIVE_ITEM_STRING, live_extent::LIVE_WHOLE, text)
    }

    fn parted(end: live_outcome, items: &[u8]) -> Vec<u8> {
        let mut bytes = record(live_kind::LIVE_CALL, end, items);
        bytes[offset_of!(types::live_call, parted)] = 1;
        bytes
    }

    fn taken(inbox: &mut Inbox) -> Vec<Call> {
        let (events, lost) = inbox.take(1);
        assert_eq!(lost, 0);
        events.into_iter().map(|event| if let Event::Call(call) = event { *call } else { panic!() }).collect()
    }

    fn texts(call: &Call) -> Vec<Vec<u8>> {
        let text = |content: &Content| match content {
            Content::Bytes(Bytes { bytes, extent: Extent::Whole }) => bytes.clone(),
            other => panic!("{other:?}"),
        };
        call.data.iter().map(|datum| text(&datum.content)).collect()
    }

    /// Long paths do not wait with the thread; they come first and belong to the call that comes.
    #[test]
    fn what_was_sent_ahead_belongs_to_its_call_and_to_no_other() {
        let mut inbox = inbox();
        inbox
            .put(&record(live_kind::LIVE_DATA_OF_CALL, live_outcome::LIVE_RETURNED, &item(0, b"a")))
            .unwrap();
        inbox.put(&parted(live_outcome::LIVE_PENDING, &item(1, b"b"))).unwrap();
        inbox.put(&parted(live_outcome::LIVE_RETURNED, &item(1, b"b"))).unwrap();
        inbox.put(&parted(live_outcome::LIVE_RETURNED, &item(1, b"b"))).unwrap();
        let found: Vec<_> = taken(&mut inbox).iter().map(texts).collect();
        let both = vec![b"a".to_vec(), b"b".to_vec()];
        assert_eq!(found, [both.clone(), both, vec![b"b".to_vec()]]);
    }

    #[test]
    fn items_ahead_of_a_call_that_was_lost_are_not_taken_for_anothers() {
        let mut inbox = inbox();
        let mut lost = record(live_kind::LIVE_DATA_OF_CALL, live_outcome::LIVE_RETURNED, &item(0, b"old"));
        wire::put(&mut lost, offset_of!(types::live_head, seq), &8u32.to_ne_bytes());
        inbox.put(&lost).unwrap();
        inbox.put(&parted(live_outcome::LIVE_RETURNED, &[])).unwrap();
        assert!(taken(&mut inbox)[0].data.is_empty());
    }

    /// Never empty: what should have been ahead and is not is marked, and what the call does not have is left out.
    #[test]
    fn items_that_should_be_ahead_and_are_not_are_unreadable() {
        let read = |arg, when| Read { arg, what: What::Path, when };
        let native = Arch::native().unwrap();
        let reads = [(Syscall::new(native, 39), vec![read(0, When::Entry), read(1, When::Exit)])].into();
        let mut inbox = Inbox::new(2, View { reads, ..View::default() }, Clock::fixed(0));
        inbox.open(1, 3);
        inbox.put(&parted(live_outcome::LIVE_RETURNED, &[])).unwrap();
        let content = Content::Bytes(Bytes { bytes: Vec::new(), extent: Extent::Unreadable });
        assert_eq!(taken(&mut inbox)[0].data, [Datum { arg: 0, content }]);
    }

    #[test]
    fn events_are_in_the_order_in_which_they_began() {
        let mut inbox = inbox();
        for time in [5u64, 3] {
            let mut bytes = record(live_kind::LIVE_CALL, live_outcome::LIVE_RETURNED, &[]);
            wire::put(&mut bytes, offset_of!(types::live_head, time_ns), &time.to_ne_bytes());
            inbox.put(&bytes).unwrap();
        }
        let times: Vec<_> = taken(&mut inbox).iter().map(|call| call.entered).collect();
        assert_eq!(times, [3, 5].map(Timestamp::from_unix_nanos));
    }

    #[test]
    fn what_is_not_taken_in_time_is_counted() {
        let mut inbox = inbox();
        let bytes = record(live_kind::LIVE_CALL, live_outcome::LIVE_RETURNED, &[]);
        for _ in 0..QUEUE + 3 {
            inbox.put(&bytes).unwrap();
        }
        let (events, lost) = inbox.take(1);
        assert_eq!((events.len(), lost), (QUEUE, 3));
    }

    #[test]
    fn records_of_a_former_target_have_no_reader() {
        let mut inbox = inbox();
        inbox.open(1, 4);
        inbox.put(&record(live_kind::LIVE_CALL, live_outcome::LIVE_RETURNED, &[])).unwrap();
        assert!(taken(&mut inbox).is_empty());
    }
}
