//! Watches a running process, with its threads and descendants, until it ends or ten seconds have passed:
//! `watch_pid PID`. What it has called by then is printed.

use std::time::Duration;

use anyhow::Context;
use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Collector, Ended, NoSink, Phase, Session, Target, Tgid};

fn main() -> anyhow::Result<()> {
    let pid = std::env::args().nth(1).context("usage: watch_pid PID")?;
    let pid = Tgid(pid.parse().with_context(|| format!("{pid:?} is not a process id"))?);

    let tracer = Tracer::builder().load()?;
    let mut session = tracer.observe(Target::Process(pid))?;
    let ended = session.poll(Some(Duration::from_secs(10)), &mut NoSink)?;
    let recording = session.finish(if ended { Ended::TargetEnded } else { Ended::Interrupted })?;

    for call in recording.syscalls(Phase::Workload) {
        println!("{:8} {call}", call.arch);
    }
    for reason in recording.losses().reasons() {
        eprintln!("possibly incomplete: {reason}");
    }
    Ok(())
}
