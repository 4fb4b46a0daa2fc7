//! Traces a process that runs already until it ends.

use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Arch, Collector, Ended, NoSink, Session, Target, captures};
use seccomp_trace_profile::Job;

use crate::args::TraceRequest;
use crate::log::Log;
use crate::{confined, finish, order};

/// Attaches, waits for the end, or for a signal that asks for it, and writes the profile.
pub(crate) fn run(request: &TraceRequest, log: Log) -> anyhow::Result<()> {
    let mut job = Job::new(&request.output);
    job.base = request.input.as_deref().map(order::read).transpose()?;
    job.prepare()?;
    let captures = Arch::native().map(|native| captures("default", native)).transpose()?.unwrap_or_default();
    let tracer = Tracer::builder().relay_signals(true).capture(captures).load()?;
    let mut session = tracer.observe(Target::Process(request.pid))?;
    if !request.unconfined {
        session.prepare_for_fewer_privileges();
        confined::tracing(|| session.snapshot().is_ok(), log);
    }
    log.info(format_args!("tracing process {}", request.pid));
    let ended = loop {
        if session.poll(None, &mut NoSink)? {
            break Ended::TargetEnded;
        }
        if session.interrupted().is_some() {
            break Ended::Interrupted;
        }
    };
    finish::write(&session.finish(ended)?, &serde_json::to_value(&job)?, log)
}
