//! A live view: what is shown and what is not, and what is lost.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seccomp_trace_core::{
    Collector, CommandSpec, Event, Outcome, Phase, Results, Selection, Session, Target, View,
};
use seccomp_trace_tests::live::{Seen, assert_long_end_is_shown, native, view_of, viewer, watch};
use seccomp_trace_tests::{full, privileged, tracee};

fn shown(how: &[&str]) -> Target {
    Target::Command(CommandSpec::new(tracee("shown")).args(how.iter().copied()))
}

#[test]
fn only_the_selected_calls_are_shown() {
    privileged!();
    let seen = watch(view_of(&[("getppid", &[])]), &[&tracee("shown"), "count", "1000"]);
    assert_eq!(seen.named("getppid").len(), 1000);
    assert_eq!(seen.calls().count(), 1000);
    let all = View { calls: Selection::Except([native("getppid")].into()), ..View::default() };
    let seen = watch(all, &[&tracee("shown"), "count", "1000"]);
    assert!(seen.named("getppid").is_empty());
    assert!(!seen.named("execve").is_empty() && !seen.named("mmap").is_empty());
}

/// Numbers that have no name are part of everything.
#[test]
fn numbers_without_a_name_are_shown_among_all() {
    privileged!();
    let seen = watch(View::default(), &[&tracee("badnr")]);
    let odd: Vec<_> = seen.calls().filter(|call| call.syscall.name().is_none()).collect();
    assert!(odd.iter().any(|call| call.syscall.nr.0 == -1), "{odd:#?}");
    assert!(odd.iter().any(|call| call.syscall.nr.0 > 100_000), "{odd:#?}");
    for call in odd {
        assert!(matches!(call.outcome, Outcome::Returned { value: -38, .. }), "{call:#?}");
    }
}

#[test]
fn results_are_filtered() {
    privileged!();
    let failed = |results| {
        let seen = watch(View { results, ..View::default() }, &["ls", "/no/such/file"]);
        let of = |call: &&seccomp_trace_core::Call| match call.outcome {
            Outcome::Returned { value, .. } => Some(value < 0),
            _ => None,
        };
        let kinds: std::collections::BTreeSet<_> = seen.calls().map(|call| of(&call)).collect();
        kinds.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(failed(Results::Failures), [Some(true)]);
    assert_eq!(failed(Results::Successes), [Some(false)]);
    assert_eq!(failed(Results::All), [None, Some(false), Some(true)]);
}

/// The filter answers in the kernel's place, so the call is not entered; the child's return from clone is no such case.
#[test]
fn a_call_that_a_filter_answers_is_shown_as_skipped() {
    privileged!();
    let seen = watch(view_of(&[("getppid", &[])]), &[&tracee("shown"), "answered"]);
    let outcomes: Vec<_> = seen.calls().map(|call| call.outcome).collect();
    let [Outcome::Returned { value: 1.., .. }, Outcome::Skipped { value: -33 }] = outcomes[..] else {
        panic!("{outcomes:?}");
    };
    let seen = watch(View::default(), &[&tracee("shown"), "forks"]);
    let skipped: Vec<_> =
        seen.calls().filter(|call| matches!(call.outcome, Outcome::Skipped { .. })).collect();
    assert_eq!(skipped.len(), 1, "{skipped:#?}");
    assert_eq!(skipped[0].syscall, native("getppid"));
}

/// The number of that call is gone when it ends.
#[test]
fn the_return_from_a_signal_handler_is_not_taken_for_a_denial() {
    privileged!();
    let view = View { calls: Selection::Except([native("rt_sigreturn")].into()), ..View::default() };
    let seen = watch(view, &[&tracee("shown"), "returns"]);
    let skipped: Vec<_> =
        seen.calls().filter(|call| matches!(call.outcome, Outcome::Skipped { .. })).collect();
    assert!(skipped.is_empty(), "{skipped:#?}");
    let seen = watch(view_of(&[("rt_sigreturn", &[])]), &[&tracee("shown"), "returns"]);
    assert!(matches!(seen.only("rt_sigreturn").outcome, Outcome::Returned { .. }));
}

fn poll_until(session: &mut impl Session, seen: &mut Seen, what: &str, holds: impl Fn(&Seen) -> bool) {
    let started = Instant::now();
    while !holds(seen) {
        assert!(started.elapsed() < Duration::from_secs(60), "waited for {what}: {seen:#?}");
        assert!(session.poll(Some(Duration::from_millis(100)), seen).is_ok(), "polled");
    }
}

/// A call that goes on is shown once while it does, and again with its end, which may be the thread's.
#[test]
fn a_call_that_goes_on_is_shown_before_its_end() {
    privileged!();
    let sleeps = view_of(&[("clock_nanosleep", &[])]);
    let tracer = viewer(View { exits: true, ..sleeps }).load().unwrap();
    let mut session = tracer.observe(Target::Command(CommandSpec::new("sleep").arg("1"))).unwrap();
    let mut seen = Seen::default();
    poll_until(&mut session, &mut seen, "the end", |seen| {
        seen.events.iter().any(|event| matches!(event, Event::Exited(_)))
    });
    let outcomes: Vec<_> = seen.calls().map(|call| call.outcome).collect();
    let [Outcome::Pending, Outcome::Returned { value: 0, duration }] = outcomes[..] else {
        panic!("{outcomes:?}");
    };
    assert!(duration >= Duration::from_secs(1));
    drop(session);

    let mut session = tracer.observe(Target::Command(CommandSpec::new("sleep").arg("100"))).unwrap();
    let mut seen = Seen::default();
    poll_until(&mut session, &mut seen, "the sleep", |seen| seen.calls().next().is_some());
    kill(Pid::from_raw(session.command_pid().unwrap()), Signal::SIGKILL).unwrap();
    poll_until(&mut session, &mut seen, "the end", |seen| {
        seen.events.iter().any(|event| matches!(event, Event::Exited(_)))
    });
    let outcomes: Vec<_> = seen.calls().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pending, Outcome::Never]);
    let Some(Event::Exited(exited)) = seen.events.iter().find(|event| matches!(event, Event::Exited(_)))
    else {
        panic!()
    };
    assert_eq!(exited.status, 9);
}

/// A process under a filter that waits in read(2).
fn waiting() -> std::process::Child {
    let waiting = std::process::Command::new(tracee("shown"))
        .arg("waits")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("the tracee");
    seccomp_trace_tests::wait_until("the tracee to wait", || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", waiting.id())).unwrap_or_default();
        status.contains("Seccomp:\t2") && status.contains("State:\tS")
    });
    waiting
}

/// A process that waits when it comes under observation has not been seen to enter its call. It is in it all the same,
/// and its end is no denial, though a filter is in force; that of the next call is.
#[test]
fn a_call_in_flight_when_observation_began_is_shown_and_not_taken_for_a_denial() {
    privileged!();
    let mut waiting = waiting();
    let pid = waiting.id();
    let tracer = viewer(View::default()).load().unwrap();
    let began = seccomp_trace_core::Timestamp::now();
    let mut session = tracer.observe(Target::Process(seccomp_trace_core::Tgid(pid))).unwrap();
    let mut seen = Seen::default();
    poll_until(&mut session, &mut seen, "the call", |seen| seen.calls().next().is_some());
    drop(waiting.stdin.take());
    while !session.poll(Some(Duration::from_millis(100)), &mut seen).unwrap() {}
    assert!(waiting.wait().unwrap().success());
    let calls: Vec<_> = seen.calls().map(|call| (call.syscall, call.outcome)).collect();
    let [(one, Outcome::Pending), (two, Outcome::Returned { value: 0, .. }), rest @ ..] = &calls[..] else {
        panic!("{seen:#?}")
    };
    assert_eq!((*one, *two), (native("read"), native("read")));
    assert!(seen.calls().all(|call| call.entered >= began && call.pid.0 == pid));
    assert_eq!(seen.calls().next().map(|call| (call.args[0], call.args[2])), Some((0, 1)));
    let skipped: Vec<_> =
        rest.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Skipped { .. })).collect();
    assert!(matches!(skipped[..], [(call, _)] if *call == native("getppid")), "{skipped:#?}");
    assert_eq!(calls.last(), Some(&(native("exit_group"), Outcome::Never)));
}

/// Where it is in no call that is selected, nothing of it is shown, nor taken for a denial.
#[test]
fn a_call_in_flight_that_is_not_selected_is_not_shown() {
    privileged!();
    let mut waiting = waiting();
    let pid = waiting.id();
    let tracer = viewer(view_of(&[("exit_group", &[])])).load().unwrap();
    let mut session = tracer.observe(Target::Process(seccomp_trace_core::Tgid(pid))).unwrap();
    drop(waiting.stdin.take());
    let mut seen = Seen::default();
    while !session.poll(Some(Duration::from_millis(100)), &mut seen).unwrap() {}
    assert!(waiting.wait().unwrap().success());
    let calls: Vec<_> = seen.calls().map(|call| (call.syscall, call.outcome)).collect();
    assert_eq!(calls, [(native("exit_group"), Outcome::Never)]);
}

/// A process is not over before its last call has been shown, however long its end takes.
#[test]
fn the_last_call_of_a_process_that_takes_long_to_end_is_shown() {
    privileged!();
    for _ in 0..if full() { 50 } else { 5 } {
        assert_long_end_is_shown(&tracee("bulky"), 200);
    }
}

/// Nobody reads while the target runs: what the ring could not take is counted to the last call.
#[test]
fn what_the_ring_cannot_take_is_counted_exactly() {
    privileged!();
    let calls: u64 = if full() { 5_000_000 } else { 200_000 };
    let tracer = viewer(view_of(&[("getppid", &[])])).view_buffer(1 << 16).load().unwrap();
    let mut session = tracer.observe(shown(&["count", &calls.to_string()])).unwrap();
    let (mut seen, pid) = (Seen::default(), session.command_pid().unwrap());
    let zombie = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|state| state.starts_with('Z'))
    };
    seccomp_trace_tests::wait_until("the end of the command", zombie);
    while !session.poll(Some(Duration::from_millis(100)), &mut seen).unwrap() {}
    let shown = u64::try_from(seen.calls().count()).unwrap();
    assert!(seen.lost > 0 && shown > 100, "{} lost, {shown} shown", seen.lost);
    assert_eq!(seen.lost + shown, calls);
}

/// Threads on all cores write into one ring while it is read.
#[test]
fn calls_of_many_threads_are_shown_or_counted_to_the_last_one() {
    privileged!();
    let seen = watch(view_of(&[("getppid", &[])]), &[&tracee("storm"), "1"]);
    let shown = u64::try_from(seen.calls().count()).unwrap();
    // As the tracee shares a million among its threads.
    let threads = 2 * u64::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
    assert_eq!(seen.lost + shown, 1000 / threads * 1000 * threads, "{} lost", seen.lost);
    let mut last = std::collections::BTreeMap::new();
    for call in seen.calls() {
        let before = last.insert(call.tid, call.entered);
        assert!(before.is_none_or(|before| before <= call.entered), "a thread's calls out of order");
    }
    assert!(last.len() > 1);
}

/// A reader that keeps up loses nothing, and a fast target does not fill our memory while it is read.
#[test]
fn a_reader_that_keeps_up_loses_nothing_with_several_targets() {
    privileged!();
    let tracer = viewer(view_of(&[("getppid", &[])])).slots(2).load().unwrap();
    let mut sessions = [("3000"), ("2000")]
        .map(|count| (tracer.observe(shown(&["count", count])).unwrap(), Seen::default()));
    let started = Instant::now();
    let mut done = [false; 2];
    while done != [true; 2] {
        assert!(started.elapsed() < Duration::from_secs(60));
        for ((session, seen), done) in sessions.iter_mut().zip(&mut done) {
            *done = *done || session.poll(Some(Duration::from_millis(10)), seen).unwrap();
        }
    }
    let counts = sessions.each_ref().map(|(_, seen)| (seen.calls().count(), seen.lost));
    assert_eq!(counts, [(3000, 0), (2000, 0)]);
}

/// A view and a recording of one run are independent of each other.
#[test]
fn a_recording_is_complete_with_a_view_and_empty_when_it_is_not_wanted() {
    privileged!();
    for record in [true, false] {
        let tracer = viewer(view_of(&[("getppid", &[])])).record(record).load().unwrap();
        let mut session = tracer.observe(shown(&["count", "10"])).unwrap();
        let mut seen = Seen::default();
        while !session.poll(Some(Duration::from_millis(100)), &mut seen).unwrap() {}
        let recording = session.finish(seccomp_trace_core::Ended::TargetEnded).unwrap();
        assert_eq!(seen.calls().count(), 10);
        let made = recording.syscalls(Phase::Workload).any(|call| call.name() == Some("exit_group"));
        assert_eq!(made, record);
    }
}
