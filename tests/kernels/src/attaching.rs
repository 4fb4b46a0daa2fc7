//! Processes that run already when observation begins.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use seccomp_trace_bpf::Tracer;
use seccomp_trace_core::{Collector, Ended, NoSink, Session, Target, Tgid};
use seccomp_trace_tests::{calls, harmless, workload};

use crate::Scenario::Trace;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[("attach-to-a-busy-process", Trace, busy)];

/// Threads and children come and go while they are being found; none may be missed.
fn busy() {
    let mut swarm = Command::new(tracee("swarm"))
        .arg((harmless().len() / 2).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a tracee");
    let mut ready = String::new();
    BufReader::new(swarm.stdout.take().expect("piped")).read_line(&mut ready).expect("a line");
    assert_eq!(ready, "ready\n");
    let tracer = Tracer::builder().load().unwrap_or_else(|error| panic!("{error}"));
    let target = Target::Process(Tgid(swarm.id()));
    let mut session = tracer.observe(target).unwrap_or_else(|error| panic!("{error}"));
    swarm.stdin.take().expect("piped").write_all(b"x").expect("it reads");
    while !session.poll(None, &mut NoSink).unwrap_or_else(|error| panic!("{error}")) {}
    let recording = session.finish(Ended::TargetEnded).unwrap_or_else(|error| panic!("{error}"));
    assert!(swarm.wait().expect("a child of ours").success());
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    let missed: Vec<_> = calls(harmless()).difference(&workload(&recording)).copied().collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
}
