//! The eBPF collector: loads the programs once, then takes targets.

use std::os::fd::AsFd;
use std::sync::Arc;

use nix::sys::signal::SigSet;
use seccomp_trace_core::{
    Armed, Captures, Collector, CommandSpec, Losses, Phase, RunningSpec, Target, View, Watch,
};

use crate::Error;
use crate::clock::Clock;
use crate::config::refuse;
use crate::denials::{Observer, Watching};
use crate::events::Ring;
use crate::instance::{Config, Instance};
use crate::launch::{Held, SignalState};
use crate::libbpf::blame_few_files;
use crate::live::Wanted;
use crate::probe::Facts;
use crate::session::{BpfSession, Parts};
use crate::signals::{self, Heeded, Relay};
use crate::slot::SlotGuard;
use crate::tables::TargetConfig;
use crate::tally::TallySpec;

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
    denials: Option<Watch>,
    cgroups: bool,
    ptrace_rule: bool,
    tally: Option<TallySpec>,
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

    /// Counts the calls of each target for a summary ([`BpfSession::tally`]; default: not). Independent of
    /// [`count_calls`](TracerBuilder::count_calls), which counts begins for the recording.
    pub fn tally(mut self, spec: TallySpec) -> Self {
        self.tally = Some(spec);
        self
    }

    /// Whether calls that are not executed are told ([`BpfSession::denials`]), and which executed ones are reported
    /// with them (default: nothing is told). Costs every process on the machine some 60 ns a call.
    pub fn denials(mut self, watch: Watch) -> Self {
        self.denials = Some(watch);
        self
    }

    /// Whether targets can be cgroups and running containers (default no): every new task on the machine is then looked
    /// at, whether it is in one of them.
    pub fn cgroups(mut self, yes: bool) -> Self {
        self.cgroups = yes;
        self
    }

    /// Whether only those targets can be attached to that this process might attach to with ptrace(2) (default no: who
    /// may load BPF programs may see everything). For programs that others are given by file capabilities. Cgroups
    /// and containers, which anybody may enter later, then need `CAP_SYS_PTRACE`.
    pub fn ptrace_rule(mut self, yes: bool) -> Self {
        self.ptrace_rule = yes;
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
            cgroups: self.cgroups,
        };
        let instance = Instance::load(config, self.view.as_ref())
            .and_then(|instance| match self.tally {
                Some(spec) => instance.with_tally(spec),
                None => Ok(instance),
            })
            .map_err(blame_few_files)?;
        let clock = Clock::read();
        let ring = Ring::new(&instance.loaded.events, self.slots, clock)?;
        let observer = self
            .denials
            .map(|watch| Observer::load(&instance.loaded.tables, self.slots, &watch))
            .transpose()?;
        Ok(Tracer {
            denials: observer.map(Arc::new),
            shared: Arc::new(instance),
            ring: Arc::new(ring),
            clock,
            facts,
            target: self.target,
            relay_signals: self.relay_signals,
            cgroups: self.cgroups,
            ptrace_rule: self.ptrace_rule,
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
    pub(crate) shared: Arc<Instance>,
    pub(crate) ring: Arc<Ring>,
    clock: Clock,
    facts: Facts,
    pub(crate) target: TargetConfig,
    pub(crate) relay_signals: bool,
    pub(crate) cgroups: bool,
    pub(crate) ptrace_rule: bool,
    denials: Option<Arc<Observer>>,
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
            denials: None,
            cgroups: false,
            ptrace_rule: false,
            tally: None,
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
        let mut guard = SlotGuard::of(&self.shared, slot);
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
            armed.map_err(Error::map("tasks"))?;
            session.forget_losses()
        });
        if let Err(error) = armed {
            held.abandon();
            return Err(error);
        }
        guard.armed = true;
        // Nothing may fail once the command has been let go, but that its program cannot be executed.
        session.adopt(held.release().map_err(|source| match session.denials() {
            Ok(denials) if !denials.all.is_empty() => Error::LaunchDenied { source, denials },
            _ => Error::Launch(source),
        })?);
        guard.keep();
        Ok(session)
    }

    /// Makes room for the events of a new target.
    pub(crate) fn open(&self, slot: u16, generation: u32) {
        self.ring.open(slot, generation);
        if let Some(live) = &self.shared.loaded.live {
            live.open(slot, generation);
        }
    }

    pub(crate) fn parts(&self, slot: u16, armed: Armed) -> Result<Parts, Error> {
        let denials = self.denials.as_ref().map(|observer| Watching::begin(observer, slot)).transpose()?;
        Ok(Parts {
            denials,
            instance: Arc::clone(&self.shared),
            ring: Arc::clone(&self.ring),
            clock: self.clock,
            kernel: self.facts.kernel.clone(),
            slot,
            armed,
            command: None,
            running: None,
            adopting: Losses::default(),
            losses_before: Losses::default(),
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
            Target::Process(pid) => self.observe_running(&RunningSpec::processes([pid])),
            Target::Running(spec) => self.observe_running(&spec),
            _ => Err(Error::UnknownTarget),
        }
    }
}
