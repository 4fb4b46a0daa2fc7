//! Prints every syscall at the moment it is made for the first time: `custom_sink CMD [ARG...]`.

use anyhow::Context;
use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Collector, CommandSpec, Ended, Event, Flow, Session, Sink, Target};

struct Printer;

impl Sink for Printer {
    fn event(&mut self, event: &Event) -> Flow {
        match event {
            Event::NewSyscall { call, first, .. } => {
                println!("{} {call} by {} ({})", first.time, first.comm, first.pid);
            }
            Event::Exec { pid, time } => println!("{time} exec by {pid}"),
            other => println!("{other:?}"),
        }
        Flow::Continue
    }

    fn lost(&mut self, count: u64) {
        println!("{count} events were lost; the recording still has their syscalls");
    }
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("usage: custom_sink CMD [ARG...]")?;

    let tracer = Tracer::builder().events(true).load()?;
    let mut session = tracer.observe(Target::Command(CommandSpec::new(program).args(words)))?;
    while !session.poll(None, &mut Printer)? {}
    let recording = session.finish(Ended::TargetEnded)?;
    println!("{} syscalls in all", recording.calls().len());
    Ok(())
}
