//! Launches a command, records it with all its descendants, and prints the profile it needs:
//! `record_command CMD [ARG...]`.

use anyhow::Context;
use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Session, Target};
use seccomp_trace_profile::{Environment, Policy, check_instances, generate};

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args_os().skip(1);
    let program = words.next().context("usage: record_command CMD [ARG...]")?;

    let tracer = Tracer::builder().load()?;
    let mut session = tracer.observe(Target::Command(CommandSpec::new(program).args(words)))?;
    while !session.poll(None, &mut NoSink)? {}
    let recording = session.finish(Ended::TargetEnded)?;
    for reason in recording.losses().reasons() {
        eprintln!("possibly incomplete: {reason}");
    }

    let generated = generate(&recording, &Policy::default())?;
    let report = check_instances(&generated.profile, &generated.instances, &Environment::default())?;
    eprintln!("{} calls proven allowed with libseccomp {}", report.allowed.len(), report.libseccomp);
    print!("{}", generated.profile.to_json());
    Ok(())
}
