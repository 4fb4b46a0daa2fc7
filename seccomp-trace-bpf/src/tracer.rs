//! The eBPF collector: loads the programs once, then takes targets.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::sys::signal::SigSet;
use nix::unistd::Pid;
use seccomp_trace_core::{Armed, Captures, Collector, CommandSpec, Losses, Phase, Target, Tgid, View};

use crate::Error;
use crate::clock::Clock;
use crate::config::{Refusal, refuse};
use crate::events::Ring;
use crate::instance::{Config, Instance};
use crate::launch::{Held, SignalState, pidfd_open};
use crate::live::Wanted;
use crate::probe::Facts;
use crate::seed::{Kind, Seeder};
use crate::session::{BpfSession, Parts};
use crate::signals::{self, Heeded, Relay};
use crate::tables::TargetConfig;

/// Bytes that the kernel keeps of a live view: tens of thousands of calls.
const VIEW_BUFFER: u32 = 8 << 20;

/// How a [`Tracer`] is to be loaded.
#[derive(Debug, Clone)]
#[must_use]
pub struct TracerBuilder {
    slots: u16,
    record: bool,
    count_calls: bool,
    view: Option<Wanted>,
    target: TargetConfig,
    relay_signals: bool,
}

impl TracerBuilder {
    /// How many targets can be observed at the same time (default 1). Each slot takes about 190 KiB of kernel
    /// memory; a target more is refused with [`Error::SlotsTaken`], and another tracer can take it.
    pub fn slots(mut self, slots: u16) -> Self {
        self.slots = slots.max(1);
        self
    }

    /// Whether calls are recorded (default yes). A tracer that only shows a [`view`](TracerBuilder::view) costs the
    /// target less without it, and its recordings hold no call.
    pub fn record(mut self, yes: bool) -> Self {
        self.record = yes;
        self
    }

    /// Reports the calls of this view to the sink, each at its end (default: none). Of calls before a command's first
    /// exec only that exec is shown. What is not in the view costs the target some nanoseconds a call. The target is
    /// never stopped: events that its reader does not take in time are dropped, and
    /// [`Sink::lost`](seccomp_trace_core::Sink::lost) counts them.
    ///
    /// [`Tracer`]s with a view that cannot be read are refused with [`Error::View`].
    pub fn view(mut self, view: View) -> Self {
        let buffer = self.view.map_or(VIEW_BUFFER, |known| known.buffer);
        self.view = Some(Wanted { view, buffer });
        self
    }

    /// How many bytes the kernel keeps of a view until they are read (default 8 MiB), rounded up to a power of two.
    /// Call it after [`view`](TracerBuilder::view); without a view it means nothing.
    pub fn view_buffer(mut self, bytes: u32) -> Self {
        if let Some(wanted) = &mut self.view {
            wanted.buffer = bytes;
        }
        self
    }

    /// Whether calls are counted (default no). Costs a few nanoseconds a call, and 45 KiB per slot and CPU.
    pub fn count_calls(mut self, yes: bool) -> Self {
        self.count_calls = yes;
        self
    }

    /// Whether new syscalls and execs are reported to the sink (default no).
    pub fn events(mut self, yes: bool) -> Self {
        self.target.events = yes;
        self
    }

    /// Which argument of which calls is captured (default none). At most 32 values of each are kept; a call that has
    /// more is recorded as having any. Costs a hash look-up for each of these calls, and nothing for others.
    pub fn capture(mut self, captures: Captures) -> Self {
        self.target.captures = captures;
        self
    }

    /// Whether this process stands between the terminal and the command it launches (default no): as long as the
    /// session lives, all signals of the calling thread are blocked, those sent to this process alone are forwarded to
    /// the command, it stops when the job is stopped, and [`BpfSession::interrupted`] tells when somebody asks for
    /// the end. For programs whose only job is to run one command.
    pub fn relay_signals(mut self, yes: bool) -> Self {
        self.relay_signals = yes;
        self
    }

    /// Loads and attaches the programs.
    ///
    /// # Errors
    /// [`Error::Refused`] where this machine or process cannot trace, with the remedy; [`Error::Load`] or
    /// [`Error::Attach`] where the kernel refuses for another reason.
    pub fn load(self) -> Result<Tracer, Error> {
        let facts = Facts::read();
        if let Some(refusal) = refuse(&facts) {
            return Err(refusal.into());
        }
        let config = Config {
            slots: self.slots,
            record: self.record,
            count_calls: self.count_calls,
            containers: false,
        };
        let instance = Instance::load(config, self.view.as_ref())
            .map_err(|error| too_few_files().map_or(error, Error::Refused))?;
        let clock = Clock::read();
        let ring = Ring::new(&instance.loaded.events, self.slots, clock)?;
        Ok(Tracer {
            shared: Arc::new(instance),
            ring: Arc::new(ring),
            clock,
            facts,
            target: self.target,
            relay_signals: self.relay_signals,
        })
    }
}

/// Loaded and attached BPF programs with room for targets. Dropping it, and its sessions, ends all observation.
///
/// ```no_run
/// use seccomp_trace_bpf::Tracer;
/// use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Session, Target};
///
/// let tracer = Tracer::builder().load()?;
/// let mut session = tracer.observe(Target::Command(CommandSpec::new("ls").arg("/")))?;
/// while !session.poll(None, &mut NoSink)? {}
/// let recording = session.finish(Ended::TargetEnded)?;
/// println!("{} syscalls", recording.calls().len());
/// # Ok::<(), seccomp_trace_bpf::Error>(())
/// ```
pub struct Tracer {
    shared: Arc<Instance>,
    ring: Arc<Ring>,
    clock: Clock,
    facts: Facts,
    target: TargetConfig,
    relay_signals: bool,
}

impl Tracer {
    /// A tracer with one slot that does nothing but record.
    pub fn builder() -> TracerBuilder {
        TracerBuilder {
            slots: 1,
            record: true,
            count_calls: false,
            view: None,
            target: TargetConfig::default(),
            relay_signals: false,
        }
    }

    fn observe_command(&self, spec: &CommandSpec) -> Result<BpfSession, Error> {
        let mask = signals::block()?;
        let result = self.launch(spec, mask);
        if result.is_err() || !self.relay_signals {
            signals::restore(&mask);
        }
        result
    }

    fn launch(&self, spec: &CommandSpec, mask: SigSet) -> Result<BpfSession, Error> {
        let (slot, generation) = self.shared.take_slot(&self.target)?;
        let mut guard = SlotGuard { instance: &self.shared, slot: Some(slot), armed: false };
        self.open(slot, generation);
        let parts = Parts { command: Some(spec.clone()), ..self.parts(slot, Armed::BeforeExec)? };
        let mut session = BpfSession::new(parts, None)?;
        // From here on the session gives the slot back, unless no task ever got into it.
        if self.relay_signals {
            session.relay(Relay::new(Arc::clone(&self.shared), slot)?, mask)?;
        }
        let heeded = Heeded::children();
        let ignores_children = heeded.as_ref().is_some_and(Heeded::was_ignored);
        session.give_back(heeded);
        let held = Held::fork(spec, &SignalState { mask, ignores_children })?;
        let armed = session.watch(held.pidfd.as_fd()).and_then(|()| {
            let armed = self.shared.tables().arm(held.pidfd.as_fd(), slot, generation, Phase::Setup);
            armed.map_err(Error::map("tasks"))
        });
        if let Err(error) = armed {
            held.abandon();
            return Err(error);
        }
        guard.armed = true;
        // Nothing may fail once the command has been let go, but that its program cannot be executed.
        session.adopt(held.release()?);
        guard.keep();
        Ok(session)
    }

    fn observe_process(&self, pid: Tgid) -> Result<BpfSession, Error> {
        let no_process = |source| Error::NoProcess { pid: pid.0, source };
        let raw = i32::try_from(pid.0).map_err(|_| no_process(nix::errno::Errno::ESRCH.into()))?;
        let pidfd = pidfd_open(Pid::from_raw(raw)).map_err(no_process)?;
        let (slot, generation) = self.shared.take_slot(&self.target)?;
        let mut guard = SlotGuard { instance: &self.shared, slot: Some(slot), armed: false };
        self.open(slot, generation);
        let parts = self.parts(slot, Armed::Attached)?;
        self.shared.tables().arm(pidfd.as_fd(), slot, generation, Phase::Workload).map_err(|source| {
            match source.kind() {
                libbpf_rs::ErrorKind::AlreadyExists => Error::AlreadyObserved { pid: pid.0 },
                libbpf_rs::ErrorKind::NotFound => no_process(nix::errno::Errno::ESRCH.into()),
                _ => Error::Map { map: "tasks", source },
            }
        })?;
        guard.armed = true;
        let seeder = Seeder::load(self.shared.tables(), slot, generation, Kind::Process)?;
        if seeder.adopt_all()?.is_none() {
            return Err(Error::Unseedable { pid: pid.0 });
        }
        // What failed during seeding was made good by a later pass; only what fails from now on is loss.
        let before = self.shared.tables().counters(slot)?.storage_failures;
        guard.keep();
        let losses_before = Losses { storage_failures: before, ..parts.losses_before };
        let parts = Parts { losses_before, ..parts };
        let mut session = BpfSession::new(parts, Some(seeder))?;
        if self.relay_signals {
            let mask = signals::block()?;
            let relayed =
                Relay::new(Arc::clone(&self.shared), slot).and_then(|relay| session.relay(relay, mask));
            if let Err(error) = relayed {
                signals::restore(&mask);
                return Err(error);
            }
        }
        Ok(session)
    }

    /// Makes room for the events of a new target.
    fn open(&self, slot: u16, generation: u32) {
        self.ring.open(slot, generation);
        if let Some(live) = &self.shared.loaded.live {
            live.open(slot, generation);
        }
    }

    fn parts(&self, slot: u16, armed: Armed) -> Result<Parts, Error> {
        Ok(Parts {
            instance: Arc::clone(&self.shared),
            ring: Arc::clone(&self.ring),
            clock: self.clock,
            kernel: self.facts.kernel.clone(),
            slot,
            armed,
            command: None,
            losses_before: Losses {
                lookup_failures: self.shared.tables().lookup_failures()?,
                recursion_misses: self.shared.tables().recursion_misses()?,
                ..Losses::default()
            },
        })
    }
}

impl Collector for Tracer {
    type Error = Error;
    type Session = BpfSession;

    /// A command is executing its program when this returns; that its program cannot be executed is an error.
    fn observe(&self, target: Target) -> Result<BpfSession, Error> {
        match target {
            Target::Command(spec) => self.observe_command(&spec),
            Target::Process(pid) => self.observe_process(pid),
            _ => Err(Error::UnknownTarget),
        }
    }
}

/// Loading takes some forty descriptors; where they ran out, whatever failed failed for that.
fn too_few_files() -> Option<Refusal> {
    let errno = std::io::Error::last_os_error().raw_os_error();
    matches!(errno, Some(nix::libc::EMFILE | nix::libc::ENFILE)).then_some(Refusal::OpenFiles)
}

/// Gives a slot back if observation could not be set up.
struct SlotGuard<'a> {
    instance: &'a Instance,
    slot: Option<u16>,
    /// Whether tasks are in the slot; it is then used again when they have ended.
    armed: bool,
}

impl SlotGuard<'_> {
    fn keep(mut self) {
        self.slot = None;
    }
}

impl Drop for SlotGuard<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            if !self.armed {
                // Where even this fails the slot is lost, and the next target gets another.
                let _ = self.instance.tables().disarm(slot);
            }
            self.instance.release_slot(slot);
        }
    }
}
