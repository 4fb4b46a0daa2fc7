//! `late-signals`: observes a command to its end, gets every signal that asks for something or for the end, and only then
//! finishes. Prints "finished" when it outlives that.

use nix::sys::signal::{Signal, raise};
use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Session, Target};

const LATE: [Signal; 6] =
    [Signal::SIGUSR1, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGTSTP];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tracer = Tracer::builder().relay_signals(true).load()?;
    let mut session = tracer.observe(Target::Command(CommandSpec::new("true")))?;
    while !session.poll(None, &mut NoSink)? {}
    for signal in LATE {
        raise(signal)?;
    }
    let recording = session.finish(Ended::TargetEnded)?;
    println!("finished with {} calls", recording.calls().len());
    Ok(())
}
