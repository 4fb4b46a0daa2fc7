//! The live view: an object of its own that shares the membership of an instance, and its ring.

mod data;
mod decode;
mod file;
mod inbox;
mod plan;
mod siginfo;
mod watcher;

use std::mem::{MaybeUninit, offset_of};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle, MapInfo, RingBuffer, RingBufferBuilder};
use seccomp_trace_core::{Event, View};

pub use plan::ViewError;
pub(crate) use watcher::Watcher;

use crate::array::Array;
use crate::clock::Clock;
use crate::libbpf::{load_error, quiet_libbpf, speed_up};
use crate::skel::live::{LiveSkel, LiveSkelBuilder, OpenLiveSkel, types};
use crate::skipped::{self, Spared};
use crate::{Error, preemption, seed, wire};
use inbox::Inbox;
use plan::Program;

/// Records that are read at a time, so that a target that is faster than its reader does not fill our memory.
const BATCH: usize = 4096;
/// The longest string that is read.
const LONGEST_STRING: u32 = 4096;

/// What a live view shows, and how much the kernel may keep for us.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) view: View,
    /// Bytes of the ring.
    pub(crate) buffer: u32,
}

/// A loaded live view.
pub(crate) struct Live {
    ring: Mutex<RingBuffer<'static>>,
    inbox: Arc<Mutex<Inbox>>,
    pending: Link,
    programs: Vec<Spared>,
    globals: Array,
    /// How many batches the ring holds at most.
    batches: usize,
    _links: Vec<Link>,
}

impl Live {
    /// Loads and attaches everything; `tasks` and `targets` are those of the instance. What is attached here sees a
    /// task's exit before the instance counts it.
    pub(crate) fn load(
        wanted: &Wanted,
        slots: u16,
        tasks: BorrowedFd<'_>,
        targets: BorrowedFd<'_>,
    ) -> Result<Self, Error> {
        let program = plan::compile(&wanted.view)?;
        let buffer = wanted.buffer.max(1 << 16).checked_next_power_of_two().unwrap_or(1 << 31);
        quiet_libbpf();
        let mut storage = MaybeUninit::uninit();
        let mut open = speed_up(LiveSkelBuilder::default())
            .map_err(load_error)?
            .open(&mut storage)
            .map_err(load_error)?;
        open.maps.tasks.reuse_fd(tasks).map_err(load_error)?;
        open.maps.targets.reuse_fd(targets).map_err(load_error)?;
        configure(&mut open, &program, &wanted.view, buffer).map_err(load_error)?;
        let mut skel = open.load().map_err(load_error)?;
        if let Some(globals) = skel.maps.bss_data.as_deref_mut() {
            globals.tasks_id = MapInfo::new(tasks).map_err(load_error)?.info.id;
            globals.flights_id = MapInfo::new(skel.maps.flights.as_fd()).map_err(load_error)?.info.id;
        }
        for (index, plan) in (0u32..).zip(&program.plans) {
            let updated = skel.maps.plans.update(&index.to_ne_bytes(), plan, MapFlags::ANY);
            updated.map_err(Error::map("plans"))?;
        }
        let inbox = Arc::new(Mutex::new(Inbox::new(slots, wanted.view.clone(), Clock::read())));
        let ring = MapHandle::try_from(&skel.maps.live).map_err(load_error)?;
        let ring = reader(&ring, &inbox)?;
        let globals = Array::new(MapHandle::try_from(&skel.maps.bss).map_err(load_error)?, "globals")?;
        let pending = seed::attach(&skel.progs.show_pending, "show_pending")?;
        let (links, programs) = attach(&skel, &wanted.view)?;
        let batches = usize::try_from(buffer).unwrap_or(usize::MAX) / 64 / BATCH + 1;
        Ok(Self { ring: Mutex::new(ring), inbox, pending, programs, globals, batches, _links: links })
    }

    /// The descriptor that becomes readable when there are records.
    pub(crate) fn epoll_fd(&self) -> i32 {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).epoll_fd()
    }

    /// Starts with a new target.
    pub(crate) fn open(&self, slot: u16, generation: u32) {
        lock(&self.inbox).open(slot, generation);
    }

    /// A batch of events of a slot, and the number of those that were dropped here. `true`: there may be more.
    pub(crate) fn take(&self, slot: u16) -> (Vec<Event>, u64, bool) {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        lock(&self.inbox).read = 0;
        ring.consume_raw();
        let mut inbox = lock(&self.inbox);
        let (events, lost) = inbox.take(slot);
        (events, lost, inbox.read >= BATCH)
    }

    /// As many batches as were in the ring when nobody writes to it any more.
    pub(crate) fn batches(&self) -> usize {
        self.batches
    }

    /// Sends records of the calls that have been going on for a while.
    pub(crate) fn walk(&self) -> Result<(), Error> {
        let _one_at_a_time = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        seed::run(&self.pending)
    }

    /// Program runs that the kernel skipped so far, and look-ups that failed (before 6.2), in all targets.
    pub(crate) fn misses(&self) -> Result<u64, Error> {
        let offset = offset_of!(types::bss, lookup_failures);
        let failed = wire::u64_at(&self.globals.read(0), offset).unwrap_or_default();
        Ok(failed + skipped::misses(&self.programs)?)
    }
}

fn lock(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reader(map: &dyn MapCore, inbox: &Arc<Mutex<Inbox>>) -> Result<RingBuffer<'static>, Error> {
    let inbox = Arc::clone(inbox);
    let mut builder = RingBufferBuilder::new();
    builder
        .add(map, move |bytes| {
            let mut inbox = lock(&inbox);
            // The programs are of the same build, so there is nothing that could not be decoded.
            let _ = inbox.put(bytes);
            // A negative number ends the reading, after this record.
            if inbox.read >= BATCH { -1 } else { 0 }
        })
        .map_err(Error::map("live"))?;
    builder.build().map_err(Error::map("live"))
}

fn configure(
    open: &mut OpenLiveSkel<'_>,
    program: &Program,
    view: &View,
    buffer: u32,
) -> libbpf_rs::Result<()> {
    open.maps.live.set_max_entries(buffer)?;
    open.maps.plans.set_max_entries(u32::try_from(program.plans.len()).unwrap_or(u32::MAX))?;
    open.progs.show_signal.set_autoload(view.signals);
    let perf = preemption::is_possible();
    open.progs.show_exit_perf.set_autoload(preemption::is_possible_elsewhere());
    open.progs.show_enter_perf.set_autoload(perf);
    open.progs.show_leave_perf.set_autoload(perf);
    if let Some(rodata) = open.maps.rodata_data.as_deref_mut() {
        rodata.chosen.copy_from_slice(&program.chosen);
        rodata.odd_chosen = program.odd_chosen;
        (rodata.show_successes, rodata.show_failures) = plan::wanted(view.results);
        rodata.show_exits = view.exits;
        rodata.string_limit = view.string_limit.min(LONGEST_STRING);
        rodata.wake_bytes = u64::from(buffer / 8);
    }
    Ok(())
}

/// The program that sees calls begin comes last: what it has seen begin is seen to end.
fn attach(skel: &LiveSkel<'_>, view: &View) -> Result<(Vec<Link>, Vec<Spared>), Error> {
    let progs = &skel.progs;
    let mut attached = vec![
        Spared::unpreempted("show_exit", &progs.show_exit_perf, &progs.show_exit)?,
        Spared::alone("show_exec", &progs.show_exec)?,
    ];
    if view.signals {
        attached.push(Spared::alone("show_signal", &progs.show_signal)?);
    }
    attached.push(Spared::unpreempted("show_leave", &progs.show_leave_perf, &progs.show_leave)?);
    attached.push(Spared::unpreempted("show_enter", &progs.show_enter_perf, &progs.show_enter)?);
    let (programs, links) = attached.into_iter().unzip();
    Ok((links, programs))
}

/// What comes of one record, whoever it is for.
#[cfg(feature = "fuzzing")]
pub(crate) fn event(bytes: &[u8], clock: Clock) -> Result<Option<Event>, decode::DecodeError> {
    use seccomp_trace_core::{Read, What, When};
    let decode::Record::Call(head, shown) = decode::decode(bytes)? else { return Ok(None) };
    let read = |arg, what| Read { arg, what, when: When::Entry };
    let reads = vec![read(0, What::Path), read(1, What::Strings), read(2, What::Descriptor)];
    let view = View { reads: [(shown.syscall, reads)].into(), ..View::default() };
    Ok(Some(Event::Call(Box::new(inbox::call(head, *shown, Vec::new(), &view, clock)))))
}
