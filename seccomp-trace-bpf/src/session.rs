//! One target under observation.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::SigSet;
use seccomp_trace_core::{
    Armed, CommandSpec, Denials, Ended, Flow, Losses, Recording, RunId, RunningSpec, Session, Sink,
};

use crate::Error;
use crate::clock::Clock;
use crate::denials::Watching;
use crate::events::Ring;
use crate::instance::Instance;
use crate::launch::{Change, Child, CommandStatus};
use crate::live::Watcher;
use crate::preemption;
use crate::provenance::run_id;
use crate::seed::{Kind, Seeder};
use crate::signals::{self, Heeded, Relay};
use crate::tally::Tally;

/// How long to sleep at most before the count of live tasks is looked at again: the event that wakes us could have
/// found the ring full.
const RECHECK: Duration = Duration::from_millis(500);

/// What a session is made of before its target runs.
pub(crate) struct Parts {
    pub(crate) instance: Arc<Instance>,
    pub(crate) ring: Arc<Ring>,
    pub(crate) clock: Clock,
    pub(crate) kernel: String,
    pub(crate) slot: u16,
    pub(crate) armed: Armed,
    pub(crate) command: Option<CommandSpec>,
    /// What ran already, where that is the target.
    pub(crate) running: Option<RunningSpec>,
    /// What may have been missed while it was adopted: it changed too fast for us to be sure that all of it was found, or
    /// those who looked closely at it meanwhile were skipped.
    pub(crate) adopting: Losses,
    /// What had been lost before this target was armed.
    pub(crate) losses_before: Losses,
    pub(crate) denials: Option<Watching>,
}

/// A target that is being observed with eBPF. Dropping it ends observation and leaves the target alone.
pub struct BpfSession {
    parts: Parts,
    id: RunId,
    started: seccomp_trace_core::Timestamp,
    child: Option<Child>,
    status: Option<CommandStatus>,
    relay: Option<Relay>,
    seeder: Option<Seeder>,
    /// For when the count of tasks is doubted.
    spare_seeder: Option<Seeder>,
    /// The signal mask to give back.
    mask: Option<SigSet>,
    /// Gives the treatment of children back when it is dropped.
    heeded: Option<Heeded>,
    epoll: Epoll,
    interrupted: Option<i32>,
    snapshot_wanted: bool,
    ended: bool,
    sink_stopped: bool,
    lost_reported: u64,
    watcher: Option<Watcher>,
    /// Moves into the target's cgroup after which it has been walked.
    moves_walked: u64,
}

impl BpfSession {
    /// A session without a command. What can fail is done here, before a command is let go.
    pub(crate) fn new(parts: Parts, seeder: Option<Seeder>) -> Result<Self, Error> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).map_err(Error::system("create an epoll"))?;
        let watcher = parts.instance.loaded.live.as_ref().map(Watcher::new).transpose()?;
        let session = Self {
            id: run_id()?,
            started: parts.clock.now(),
            parts,
            child: None,
            status: None,
            relay: None,
            seeder,
            spare_seeder: None,
            mask: None,
            heeded: None,
            epoll,
            interrupted: None,
            snapshot_wanted: false,
            ended: false,
            sink_stopped: false,
            lost_reported: 0,
            watcher,
            moves_walked: 0,
        };
        // SAFETY: the descriptor belongs to the ring, which `parts` keeps alive; it is only borrowed for the call.
        session.watch(unsafe { BorrowedFd::borrow_raw(session.parts.ring.epoll_fd()) })?;
        if let Some(live) = &session.parts.instance.loaded.live {
            // SAFETY: as above; the live view belongs to the instance, which `parts` keeps alive.
            session.watch(unsafe { BorrowedFd::borrow_raw(live.epoll_fd()) })?;
        }
        Ok(session)
    }

    /// Wakes up for this descriptor.
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>) -> Result<(), Error> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, 0);
        self.epoll.add(fd, event).map_err(Error::system("watch a descriptor"))
    }

    /// See [`Parts::forget_losses`].
    pub(crate) fn forget_losses(&mut self) -> Result<(), Error> {
        self.parts.forget_losses()
    }

    /// Reads this process's signals from here on; `mask` is given back at the end.
    pub(crate) fn relay(&mut self, relay: Relay, mask: SigSet) -> Result<(), Error> {
        self.watch(relay.as_fd())?;
        (self.relay, self.mask) = (Some(relay), Some(mask));
        Ok(())
    }

    /// Treats children as before once the session has ended.
    pub(crate) fn give_back(&mut self, heeded: Option<Heeded>) {
        self.heeded = heeded;
    }

    /// The launched command, whose pidfd is watched already.
    pub(crate) fn adopt(&mut self, child: Child) {
        self.child = Some(child);
    }

    /// How the launched command ended; `None` while it runs, or where no command was launched.
    #[must_use]
    pub fn command_status(&self) -> Option<CommandStatus> {
        self.status
    }

    /// The process id of the launched command, in the caller's pid namespace.
    #[must_use]
    pub fn command_pid(&self) -> Option<i32> {
        self.child.as_ref().map(|child| child.pid.as_raw())
    }

    /// The signal by which somebody asked for the end of the recording: `INT`, `TERM`, `HUP` or `QUIT` that came
    /// when no launched command was there to take it. `None` without
    /// [`relay_signals`](crate::TracerBuilder::relay_signals).
    #[must_use]
    pub fn interrupted(&self) -> Option<i32> {
        self.interrupted
    }

    /// The summary of the calls that have ended so far; `None` without
    /// [`tally`](crate::TracerBuilder::tally).
    ///
    /// # Errors
    /// The kernel refused to be read.
    pub fn tally(&self) -> Result<Option<Tally>, Error> {
        self.parts.instance.counting.as_ref().map(|counting| counting.read(self.parts.slot)).transpose()
    }

    /// Loads now what this session could need later, so that its process can give up the privileges that loading takes.
    pub fn prepare_for_fewer_privileges(&mut self) {
        if self.seeder.is_none() && self.child.is_some() && preemption::is_possible() {
            // It is tried again where it is needed.
            self.spare_seeder = self.load_seeder().ok();
        }
    }

    /// The calls that were not executed so far, and those that are watched. Nothing without
    /// [`denials`](crate::TracerBuilder::denials).
    ///
    /// # Errors
    /// Those of reading the tables.
    pub fn denials(&self) -> Result<Denials, Error> {
        let read = |watching: &Watching| watching.read(self.parts.slot, self.parts.clock);
        self.parts.denials.as_ref().map_or_else(|| Ok(Denials::default()), read)
    }

    /// Whether a `USR1` has asked, since this was last called, for what has been recorded so far. Of a launched command
    /// the signal is the command's own; without [`relay_signals`](crate::TracerBuilder::relay_signals) it is not read.
    #[must_use]
    pub fn take_snapshot_wanted(&mut self) -> bool {
        std::mem::take(&mut self.snapshot_wanted)
    }

    fn wait(&self, timeout: Duration) -> Result<(), Error> {
        let timeout = EpollTimeout::try_from(timeout).unwrap_or(EpollTimeout::MAX);
        let mut events = [EpollEvent::empty(); 4];
        match self.epoll.wait(&mut events, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(errno) => Err(Error::system("wait for events")(errno)),
        }
    }

    /// Whether all is over: nobody lives, and a launched command has been waited for.
    fn settled(&self) -> bool {
        self.ended && (self.child.is_none() || self.status.is_some())
    }

    /// Looks at everything that can have changed. `true`: something that the caller may act on did.
    fn look(&mut self, sink: &mut dyn Sink) -> Result<bool, Error> {
        let before = (self.status, self.interrupted, self.ended, self.snapshot_wanted);
        if let Some(relay) = &mut self.relay {
            let signal = relay.handle(self.child.as_ref(), &mut self.status)?;
            self.interrupted = signal.or(self.interrupted);
            self.snapshot_wanted |= relay.take_snapshot_wanted();
        }
        self.reap()?;
        let (shown, more) = self.show(sink, 1)?;
        // The end of the target is in the other ring, and comes last.
        let delivered = (!more && self.deliver(sink)?) || shown;
        self.doubt_the_count()?;
        self.walk_after_moves()?;
        if !self.ended && self.nobody_lives()? {
            // What the last ones did was sent before they were counted, and comes before the end.
            self.show(sink, usize::MAX)?;
            self.deliver(sink)?;
            self.ended = true;
        }
        Ok(delivered || before != (self.status, self.interrupted, self.ended, self.snapshot_wanted))
    }

    fn reap(&mut self) -> Result<(), Error> {
        let (Some(child), None, None) = (&self.child, self.status, &self.relay) else {
            self.unwatch_ended();
            return Ok(());
        };
        if let Change::Ended(status) = child.change().map_err(Error::system("wait for the command"))? {
            self.status = Some(status);
            self.unwatch_ended();
        }
        Ok(())
    }

    /// A pidfd stays readable once its process has ended, and would keep us awake.
    fn unwatch_ended(&self) {
        if let (Some(child), Some(_)) = (&self.child, self.status) {
            // It may have been removed before, which is no matter.
            let _ = self.epoll.delete(&child.pidfd);
        }
    }

    /// Hands on what the live view has seen, in so many batches at most. Whether there was something, and whether there
    /// may be more.
    fn show(&mut self, sink: &mut dyn Sink, batches: usize) -> Result<(bool, bool), Error> {
        let (Some(live), Some(watcher)) = (&self.parts.instance.loaded.live, &mut self.watcher) else {
            return Ok((false, false));
        };
        let (mut found, mut more) = (false, true);
        let mut lost = watcher.walk(live)?;
        for _ in 0..batches.min(live.batches()) {
            let (events, dropped, rest) = live.take(self.parts.slot);
            lost += dropped;
            found |= !events.is_empty();
            for event in events {
                if !self.sink_stopped && sink.event(&event) == Flow::Stop {
                    self.sink_stopped = true;
                }
            }
            more = rest;
            if !more {
                break;
            }
        }
        if lost > 0 && !self.sink_stopped {
            sink.lost(lost);
        }
        watcher.found(found);
        Ok((found, more))
    }

    fn deliver(&mut self, sink: &mut dyn Sink) -> Result<bool, Error> {
        let (events, dropped) = self.parts.ring.take(self.parts.slot)?;
        let in_kernel = self.parts.instance.tables().counters(self.parts.slot).events_lost;
        let lost = dropped + in_kernel.saturating_sub(self.lost_reported);
        self.lost_reported = in_kernel;
        if lost > 0 && !self.sink_stopped {
            sink.lost(lost);
        }
        let delivered = !events.is_empty();
        for event in events {
            if !self.sink_stopped && sink.event(&event) == Flow::Stop {
                self.sink_stopped = true;
            }
        }
        Ok(delivered)
    }

    /// What counts the tasks of a command, which nobody had to look for when it was launched.
    fn load_seeder(&self) -> Result<Seeder, Error> {
        let tables = self.parts.instance.tables();
        let generation = tables.counters(self.parts.slot).generation;
        Seeder::load(tables, self.parts.slot, generation, Kind::Process)
    }

    /// Where the kernel has skipped a program, exits may not have been counted: the tasks themselves are asked then.
    fn doubt_the_count(&mut self) -> Result<(), Error> {
        let tables = self.parts.instance.tables();
        if self.ended || self.seeder.is_some() || self.status.is_none() {
            return Ok(());
        }
        let live = tables.counters(self.parts.slot).live;
        if live != 0 && tables.may_miscount()? {
            match self.spare_seeder.take().map_or_else(|| self.load_seeder(), Ok) {
                Ok(seeder) => self.seeder = Some(seeder),
                // What was recorded says already that it is possibly incomplete, and is not to be lost for this.
                Err(error) => {
                    tracing::debug!(?error, "cannot count the tasks anew");
                    self.ended = true;
                }
            }
        }
        Ok(())
    }

    /// Only the leader of a process that is moved into the target's cgroup is met there; the others are looked for.
    fn walk_after_moves(&mut self) -> Result<(), Error> {
        let moved = self.parts.instance.tables().counters(self.parts.slot).moved;
        if let Some(seeder) = &self.seeder
            && moved != self.moves_walked
        {
            seeder.adopt_all()?;
            self.moves_walked = moved;
        }
        Ok(())
    }

    /// Whether the last task of the target has exited. In a cgroup, somebody must have come first.
    fn nobody_lives(&self) -> Result<bool, Error> {
        // The count of a launched command is exact, since it began with its first task.
        let counters = self.parts.instance.tables().counters(self.parts.slot);
        match &self.seeder {
            None => Ok(counters.live == 0),
            Some(_) if counters.processes == 0 => Ok(false),
            // A task that exited while it was adopted is counted wrongly, so the tasks themselves are asked.
            Some(seeder) => Ok(seeder.alive()? == 0),
        }
    }
}

impl Session for BpfSession {
    type Error = Error;

    /// Returns early also when the launched command has ended ([`command_status`](BpfSession::command_status)),
    /// somebody asked for the end ([`interrupted`](BpfSession::interrupted)) or for what was recorded so far
    /// ([`take_snapshot_wanted`](BpfSession::take_snapshot_wanted)).
    fn poll(&mut self, timeout: Option<Duration>, sink: &mut dyn Sink) -> Result<bool, Error> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            if self.look(sink)? || self.settled() {
                return Ok(self.settled());
            }
            let left = deadline.map_or(RECHECK, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(false);
            }
            let patience = self.watcher.as_ref().map_or(RECHECK, |watcher| watcher.patience(RECHECK));
            self.wait(left.min(patience))?;
        }
    }

    fn snapshot(&self) -> Result<Recording, Error> {
        self.parts.recording(&self.id, self.started, Ended::Running)
    }

    fn finish(self, ended: Ended) -> Result<Recording, Error> {
        let ended = if self.nobody_lives()? { Ended::TargetEnded } else { ended };
        self.parts.recording(&self.id, self.started, ended)
    }
}

impl Drop for BpfSession {
    fn drop(&mut self) {
        if self.parts.running.is_some() {
            // Where even this fails, whoever comes is not taken for a member of a later target: generations differ.
            let _ = self.parts.instance.tables().close_entrances(self.parts.slot);
        }
        self.parts.instance.release_slot(self.parts.slot);
        self.relay = None;
        if let Some(mask) = &self.mask {
            signals::restore(mask);
        }
    }
}
