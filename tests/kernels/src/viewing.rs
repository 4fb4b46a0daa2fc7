//! Live views: that the programs load, and read what they should with this kernel's structures.

use std::process::{Command, Stdio};
use std::time::Duration;

use seccomp_trace_bpf::BpfSession;
use seccomp_trace_core::{
    Bytes, Call, Collector, Content, Event, Extent, Outcome, Read, Selection, Session, Target, Tgid, View,
    What, When,
};
use seccomp_trace_tests::live::{Seen, assert_long_end_is_shown, native, view_of, viewer, watch};
use seccomp_trace_tests::wait_until;

use crate::Scenario::Trace;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("view-everything", Trace, everything),
    ("view-paths", Trace, paths),
    ("view-descriptors", Trace, descriptors),
    ("view-exec", Trace, exec),
    ("view-skipped", Trace, skipped),
    ("view-pending", Trace, pending),
    ("view-in-flight", Trace, in_flight),
    ("view-of-a-long-end", Trace, long_end),
];

fn shown(view: View, how: &[&str]) -> Seen {
    let seen = watch(view, &[&[tracee("shown").as_str()], how].concat());
    // The form of a recording's losses, which init knows.
    assert_eq!(
        seen.lost, 0,
        "storage_failures: 0, lookup_failures: 0, recursion_misses: {}, number_overflow: 0",
        seen.lost
    );
    seen
}

fn of(call: &Call, arg: u8) -> Option<&Content> {
    call.data.iter().find(|datum| datum.arg == arg).map(|datum| &datum.content)
}

fn whole(text: &[u8]) -> Bytes {
    Bytes { bytes: text.to_vec(), extent: Extent::Whole }
}

fn everything() {
    let view = View { signals: true, exits: true, ..View::default() };
    let seen = shown(view, &["count", "20000"]);
    assert_eq!(seen.named("getppid").len(), 20_000);
    assert_eq!(seen.calls().last().map(|call| call.outcome), Some(Outcome::Never));
    assert!(seen.events.iter().any(|event| matches!(event, Event::Exited(exited) if exited.status == 0)));
}

fn paths() {
    let read = Read { arg: 1, what: What::Path, when: When::Entry };
    let seen = shown(view_of(&[("faccessat", &[read])]), &["paths"]);
    let found: Vec<_> = seen.calls().filter_map(|call| of(call, 1)).collect();
    let edge = Bytes { bytes: b"/edges".to_vec(), extent: Extent::Unreadable };
    for expected in [whole(b"/plain"), whole(b"/cold"), edge, whole(&[b'l'; 4095])] {
        assert!(found.contains(&&Content::Bytes(expected.clone())), "{expected:?} in {found:?}");
    }
}

fn descriptors() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = Read { arg: 0, what: What::Descriptor, when: When::Entry };
    let view = view_of(&[("dup", &[read])]);
    let seen = shown(view, &["descriptors", folder.path().to_str().expect("text")]);
    let list = std::fs::read_to_string(folder.path().join("list")).expect("the tracee's list");
    for (call, line) in seen.calls().zip(list.lines()).filter(|(_, line)| !line.is_empty()) {
        assert_eq!(of(call, 0), Some(&Content::Descriptor(whole(line.as_bytes()))), "{line}");
    }
    assert!(list.lines().count() > 12);
}

fn exec() {
    let reads =
        [(0, What::Path), (1, What::Strings)].map(|(arg, what)| Read { arg, what, when: When::Entry });
    let seen = shown(view_of(&[("execve", &reads)]), &["exec"]);
    let last = seen.calls().last().expect("an exec");
    assert!(matches!(last.outcome, Outcome::Returned { value: 0, .. }), "{last:?}");
    assert_eq!(of(last, 0), Some(&Content::Bytes(whole(b"/bin/true"))));
    let elements = vec![whole(b"/bin/true"), whole(b"arg")];
    assert_eq!(of(last, 1), Some(&Content::List { elements, extent: Extent::Whole }));
}

fn skipped() {
    let all = View { calls: Selection::Except([native("read")].into()), ..View::default() };
    let seen = shown(all, &["answered"]);
    let skipped: Vec<_> =
        seen.calls().filter(|call| matches!(call.outcome, Outcome::Skipped { .. })).collect();
    assert!(matches!(skipped[..], [call] if call.syscall == native("getppid")), "{skipped:?}");
}

fn pending() {
    let seen = watch(view_of(&[("clock_nanosleep", &[]), ("nanosleep", &[])]), &["sleep", "2"]);
    let outcomes: Vec<_> = seen.calls().map(|call| call.outcome).collect();
    assert!(matches!(outcomes[..], [Outcome::Pending, Outcome::Returned { value: 0, .. }]), "{outcomes:?}");
}

/// A process that waits under a filter when it comes under observation: it is in its call, and denied the next one.
fn in_flight() {
    let mut waiting = Command::new(tracee("shown"))
        .arg("waits")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{error}"));
    let status = format!("/proc/{}/status", waiting.id());
    wait_until("the tracee to wait", || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        status.contains("Seccomp:\t2") && status.contains("State:\tS")
    });
    let tracer = viewer(View::default()).load().unwrap_or_else(|error| panic!("{error}"));
    let target = Target::Process(Tgid(waiting.id()));
    let mut session = tracer.observe(target).unwrap_or_else(|error| panic!("{error}"));
    drop(waiting.stdin.take());
    let mut seen = Seen::default();
    let poll = |session: &mut BpfSession, seen: &mut Seen| {
        session.poll(Some(Duration::from_millis(100)), seen).unwrap_or_else(|error| panic!("{error}"))
    };
    while !poll(&mut session, &mut seen) {}
    assert!(waiting.wait().is_ok_and(|status| status.success()));
    let first = seen.calls().next().expect("a call");
    assert!(matches!(first.outcome, Outcome::Returned { value: 0, .. }), "{first:?}");
    assert_eq!(first.syscall, native("read"));
    let skipped = seen.calls().filter(|call| matches!(call.outcome, Outcome::Skipped { .. })).count();
    assert_eq!(skipped, 1, "{seen:#?}");
}

/// Up to 6.15 a task's memory is freed before its exit is told.
fn long_end() {
    assert_long_end_is_shown(&tracee("bulky"), 64);
}
