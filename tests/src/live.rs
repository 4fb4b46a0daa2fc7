//! What a live view shows of a command, through the library.

use std::time::{Duration, Instant};

use seccomp_trace_bpf::{CommandStatus, Tracer, TracerBuilder};
use seccomp_trace_core::{
    Arch, Call, Collector, CommandSpec, Event, Flow, Read, Selection, Session, Sink, Syscall, Target, View,
};

use crate::process::DEADLINE;

/// Everything that a view reported.
#[derive(Debug, Default)]
pub struct Seen {
    /// In the order of arrival.
    pub events: Vec<Event>,
    /// How many more there were.
    pub lost: u64,
    /// How the command ended.
    pub status: Option<CommandStatus>,
}

impl Sink for Seen {
    fn event(&mut self, event: &Event) -> Flow {
        self.events.push(event.clone());
        Flow::Continue
    }

    fn lost(&mut self, count: u64) {
        self.lost += count;
    }
}

impl Seen {
    /// The calls among them.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.events.iter().filter_map(|event| match event {
            Event::Call(call) => Some(&**call),
            _ => None,
        })
    }

    /// The calls of this name, in any ABI.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<&Call> {
        self.calls().filter(|call| call.syscall.name() == Some(name)).collect()
    }

    /// The only call of this name.
    #[must_use]
    pub fn only(&self, name: &str) -> &Call {
        match self.named(name)[..] {
            [call] => call,
            ref found => panic!("{} of {name} in {:#?}", found.len(), self.events),
        }
    }
}

/// A tracer that shows a view and records nothing.
pub fn viewer(view: View) -> TracerBuilder {
    Tracer::builder().record(false).view(view)
}

/// Runs a command to its end under a view.
#[must_use]
pub fn watch(view: View, command: &[&str]) -> Seen {
    let tracer = viewer(view).load().expect("loaded");
    let spec = CommandSpec::new(command[0]).args(command[1..].iter().copied());
    let mut session = tracer.observe(Target::Command(spec)).expect("observed");
    let (mut seen, started) = (Seen::default(), Instant::now());
    while !session.poll(Some(Duration::from_millis(100)), &mut seen).expect("polled") {
        assert!(started.elapsed() < DEADLINE, "{command:?} did not end");
    }
    seen.status = session.command_status();
    seen
}

/// A native call.
#[must_use]
pub fn native(name: &str) -> Syscall {
    let native = Arch::native().expect("tests run where recording works");
    Syscall::from_name(native, name).unwrap_or_else(|| panic!("{native} has no call {name}"))
}

/// A view of these native calls with these reads.
#[must_use]
pub fn view_of(calls: &[(&str, &[Read])]) -> View {
    View {
        calls: Selection::Only(calls.iter().map(|(name, _)| native(name)).collect()),
        reads: calls.iter().map(|(name, reads)| (native(name), reads.to_vec())).collect(),
        ..View::default()
    }
}
