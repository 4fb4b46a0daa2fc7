//! What a live view shows of a command, through the library.

use std::process::Command;
use std::time::{Duration, Instant};

use seccomp_trace_bpf::{BpfSession, CommandStatus, Tracer, TracerBuilder};
use seccomp_trace_core::{
    Arch, Call, Collector, CommandSpec, Event, Flow, Outcome, Read, Selection, Session, Sink, Syscall,
    Target, Tgid, View,
};

use crate::attach::Tracee;
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
    let mut seen = poll_to_the_end(&mut session, command[0]);
    seen.status = session.command_status();
    seen
}

fn poll_to_the_end(session: &mut BpfSession, what: &str) -> Seen {
    let (mut seen, started) = (Seen::default(), Instant::now());
    while !session.poll(Some(Duration::from_millis(100)), &mut seen).expect("polled") {
        assert!(started.elapsed() < DEADLINE, "{what} did not end");
    }
    seen
}

/// The last call and the exit of a process are shown, however long its end takes: `bulky` is the tracee's path, and it
/// touches so many MiB of memory.
pub fn assert_long_end_is_shown(bulky: &str, mib: u32) {
    let mut target = Tracee::spawn(Command::new(bulky).arg(mib.to_string()));
    let view = View { exits: true, ..view_of(&[("exit_group", &[])]) };
    let tracer = viewer(view).load().expect("loaded");
    let process = Target::Process(Tgid(target.pid().parse().expect("a number")));
    let mut session = tracer.observe(process).expect("observed");
    target.close_input();
    let seen = poll_to_the_end(&mut session, bulky);
    target.ends();
    assert_eq!(seen.only("exit_group").outcome, Outcome::Never);
    assert!(seen.events.iter().any(|event| matches!(event, Event::Exited(_))), "{seen:#?}");
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
