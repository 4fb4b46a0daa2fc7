//! The collector as a library: several targets, running processes, reading while it runs, sinks, counts and losses.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use seccomp_trace_bpf::{BpfSession, Error, Tracer};
use seccomp_trace_core::{
    Collector, CommandSpec, Ended, Event, Flow, NoSink, Phase, Recording, Session, Sink, Syscall, Target,
    Tgid,
};
use seccomp_trace_tests::{calls, full, harmless, privileged, scratch, tracee, workload};

fn command(name: &str, args: &[&str]) -> Target {
    Target::Command(CommandSpec::new(tracee(name)).args(args.iter().copied()))
}

/// Polls to the end with a deadline, and finishes.
fn to_the_end(mut session: BpfSession, sink: &mut dyn Sink) -> Recording {
    for _ in 0..600 {
        if session.poll(Some(Duration::from_millis(100)), sink).expect("polled") {
            return session.finish(Ended::TargetEnded).expect("finished");
        }
    }
    panic!("the target did not end within a minute");
}

/// `true` where the call was made by the workload.
fn made(recording: &Recording, name: &str) -> bool {
    recording.syscalls(Phase::Workload).any(|call| call.name() == Some(name))
}

#[test]
fn targets_of_one_instance_are_recorded_apart() {
    privileged!();
    let tracer = Tracer::builder().slots(3).load().unwrap();
    let names = ["getitimer", "eventfd2", "msync"];
    let sessions: Vec<_> =
        names.iter().map(|name| tracer.observe(command("caller", &[name])).unwrap()).collect();
    for (session, own) in sessions.into_iter().zip(names) {
        let recording = to_the_end(session, &mut NoSink);
        for name in names {
            assert_eq!(made(&recording, name), name == own, "{name} in the target that calls {own}");
        }
    }
}

/// A slot that is used again must show nothing of its former target, and a full tracer says so.
#[test]
fn slots_are_refused_when_all_are_taken_and_come_back_empty() {
    privileged!();
    let tracer = Tracer::builder().slots(1).load().unwrap();
    let first = tracer.observe(command("caller", &["getitimer"])).unwrap();
    let refused = tracer.observe(command("caller", &["msync"])).err().expect("one slot, two targets");
    assert!(matches!(refused, Error::SlotsTaken { slots: 1 }), "{refused}");
    assert!(made(&to_the_end(first, &mut NoSink), "getitimer"));
    for _ in 0..3 {
        let recording = to_the_end(tracer.observe(command("caller", &["msync"])).unwrap(), &mut NoSink);
        assert!(made(&recording, "msync") && !made(&recording, "getitimer"));
    }
}

/// A command that cannot be executed must not cost a slot.
#[test]
fn a_failed_launch_gives_its_slot_back() {
    privileged!();
    let tracer = Tracer::builder().slots(1).load().unwrap();
    for _ in 0..3 {
        let missing = Target::Command(CommandSpec::new("/nonexistent/program"));
        assert!(matches!(tracer.observe(missing), Err(Error::Launch(_))));
    }
    to_the_end(tracer.observe(command("caller", &[])).unwrap(), &mut NoSink);
}

/// A target that was given up while it lived keeps writing into its slot, which nobody else may get until it ends.
#[test]
fn the_slot_of_an_abandoned_target_is_not_used_while_it_lives() {
    privileged!();
    let tracer = Tracer::builder().slots(1).load().unwrap();
    let session = tracer.observe(command("sleeper", &["nanosleep", "300"])).unwrap();
    let recording = session.finish(Ended::Interrupted).unwrap();
    assert_eq!(recording.runs().values().next().unwrap().ended, Ended::Interrupted);
    assert!(matches!(tracer.observe(command("caller", &[])), Err(Error::SlotsTaken { .. })));
    let mut tries = 0;
    let session = loop {
        match tracer.observe(command("caller", &[])) {
            Ok(session) => break session,
            Err(Error::SlotsTaken { .. }) if tries < 100 => tries += 1,
            Err(error) => panic!("{error}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(!made(&to_the_end(session, &mut NoSink), "nanosleep"));
}

/// Threads and children come and go while they are being found; none may be missed, nor any of theirs.
#[test]
fn a_running_process_is_recorded_with_all_threads_and_descendants() {
    privileged!();
    for _ in 0..if full() { 50 } else { 5 } {
        let mut swarm = Command::new(tracee("swarm"))
            .arg("100")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(swarm.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "ready\n");
        let tracer = Tracer::builder().load().unwrap();
        let session = tracer.observe(Target::Process(Tgid(swarm.id()))).unwrap();
        swarm.stdin.take().unwrap().write_all(b"x").unwrap();
        let recording = to_the_end(session, &mut NoSink);
        assert!(swarm.wait().unwrap().success());
        let missed: Vec<_> = calls(harmless()).difference(&workload(&recording)).copied().collect();
        assert!(missed.is_empty(), "missed: {missed:?}");
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
        assert_eq!(recording.runs().values().next().unwrap().ended, Ended::TargetEnded);
    }
}

#[test]
fn a_process_that_is_not_there_or_is_observed_already_is_refused() {
    privileged!();
    let tracer = Tracer::builder().slots(2).load().unwrap();
    let mut child = Command::new("sleep").arg("60").spawn().unwrap();
    let target = Target::Process(Tgid(child.id()));
    let session = tracer.observe(target.clone()).unwrap();
    assert!(matches!(tracer.observe(target.clone()), Err(Error::AlreadyObserved { .. })));
    drop(session);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(tracer.observe(target), Err(Error::NoProcess { .. })));
}

/// Reading takes nothing away and stops nothing.
#[test]
fn a_snapshot_shows_what_was_seen_so_far_and_changes_nothing() {
    privileged!();
    let folder = scratch();
    let go = folder.path().join("go");
    let script = "\"$2\" getitimer; until test -e \"$1\"; do sleep 0.02; done; exec \"$2\" msync";
    let tracer = Tracer::builder().load().unwrap();
    let spec = CommandSpec::new("sh").args(["-c", script, "sh"]).arg(go.as_os_str()).arg(tracee("caller"));
    let mut session = tracer.observe(Target::Command(spec)).unwrap();
    let mut snapshot = session.snapshot().unwrap();
    for _ in 0..600 {
        if made(&snapshot, "getitimer") {
            break;
        }
        session.poll(Some(Duration::from_millis(100)), &mut NoSink).unwrap();
        snapshot = session.snapshot().unwrap();
    }
    assert!(made(&snapshot, "getitimer") && !made(&snapshot, "msync"));
    assert_eq!(snapshot.runs().values().next().unwrap().ended, Ended::Running);
    std::fs::write(&go, "").unwrap();
    let recording = to_the_end(session, &mut NoSink);
    assert!(made(&recording, "getitimer") && made(&recording, "msync"));
    let mut joined = recording.clone();
    joined.merge(snapshot);
    assert_eq!(joined.calls(), recording.calls(), "a snapshot is an earlier view of the same run");
}

#[derive(Default)]
struct Collected {
    calls: Vec<Syscall>,
    execs: usize,
    ended: usize,
    lost: u64,
    stop: bool,
}

impl Sink for Collected {
    fn event(&mut self, event: &Event) -> Flow {
        match event {
            Event::NewSyscall { call, phase: Phase::Workload, .. } => self.calls.push(*call),
            Event::Exec { .. } => self.execs += 1,
            Event::TargetEnded { .. } => self.ended += 1,
            _ => {}
        }
        if self.stop { Flow::Stop } else { Flow::Continue }
    }

    fn lost(&mut self, count: u64) {
        self.lost += count;
    }
}

#[test]
fn a_sink_gets_each_new_syscall_once() {
    privileged!();
    let tracer = Tracer::builder().events(true).load().unwrap();
    let mut sink = Collected::default();
    let recording = to_the_end(tracer.observe(command("threads", &[])).unwrap(), &mut sink);
    let unique: BTreeSet<_> = sink.calls.iter().copied().collect();
    assert_eq!(unique.len(), sink.calls.len(), "each once");
    assert_eq!(unique, recording.syscalls(Phase::Workload).collect());
    assert_eq!((sink.execs, sink.ended, sink.lost), (1, 1, 0));
}

#[test]
fn a_sink_that_stops_costs_nothing_of_the_recording() {
    privileged!();
    let tracer = Tracer::builder().events(true).load().unwrap();
    let mut sink = Collected { stop: true, ..Collected::default() };
    let recording = to_the_end(tracer.observe(command("threads", &[])).unwrap(), &mut sink);
    assert!(sink.calls.len() + sink.execs <= 1, "it asked for no more");
    assert!(calls(harmless()).is_subset(&workload(&recording)));
}

/// Two threads on each core count the same call at the same time.
#[test]
fn counts_are_exact() {
    privileged!();
    let tracer = Tracer::builder().count_calls(true).load().unwrap();
    let cores = std::thread::available_parallelism().unwrap().get() as u64;
    let recording = to_the_end(tracer.observe(command("storm", &["2"])).unwrap(), &mut NoSink);
    let count = |name: &str| {
        let call = calls([name]).into_iter().next().unwrap();
        recording.calls()[&call][&Phase::Workload].count.unwrap()
    };
    let threads = 2 * cores;
    assert_eq!(count("getppid"), 2_000_000 / threads * threads, "every call of every thread");
    assert_eq!(count("getitimer"), 1);
}

/// Numbers that find no room are counted, never dropped silently; those that do are kept as they are.
#[test]
fn an_overflow_of_unknown_numbers_is_counted_to_the_last_one() {
    privileged!();
    let tracer = Tracer::builder().load().unwrap();
    let recording = to_the_end(tracer.observe(command("numbers", &["100000", "5000"])).unwrap(), &mut NoSink);
    let kept = recording.syscalls(Phase::Workload).filter(|call| call.nr.0 >= 100_000).count() as u64;
    assert_eq!(kept + recording.losses().number_overflow, 5000, "kept {kept}");
    assert!(recording.losses().reasons()[0].contains("unknown syscall numbers"));
    // The next target of the slot starts with an empty table.
    let next = to_the_end(tracer.observe(command("numbers", &["200000", "10"])).unwrap(), &mut NoSink);
    assert!(next.losses().is_none());
    assert_eq!(next.syscalls(Phase::Workload).filter(|call| call.nr.0 >= 100_000).count(), 10);
}
