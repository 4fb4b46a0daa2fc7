//! A live view: registers, results, signals and ends, as strace sees them in the same run.

use std::collections::BTreeMap;

use seccomp_trace_core::{Call, Event, Outcome, View};
use seccomp_trace_tests::live::{Seen, watch};
use seccomp_trace_tests::strace::{RawCall, RawThread, raw_threads};
use seccomp_trace_tests::{privileged, runs_32_bit, say, scratch, tracee};

/// Runs `command` under strace, and that under a view of everything.
fn both(command: &[&str]) -> (Seen, BTreeMap<u32, RawThread>) {
    let folder = scratch();
    let log = folder.path().join("log");
    let log = log.to_str().expect("a path in UTF-8");
    let view = View { signals: true, exits: true, ..View::default() };
    let strace = ["strace", "-f", "-e", "raw=all", "-o", log, "--"];
    let seen = watch(view, &[&strace, command].concat());
    assert_eq!(seen.lost, 0, "the reader was too slow for this");
    (seen, raw_threads(&std::fs::read_to_string(log).expect("strace writes its log")))
}

/// The calls that a thread entered; a call that went on for long is reported twice.
fn calls_of(seen: &Seen, tid: u32) -> Vec<&Call> {
    seen.calls().filter(|call| call.tid.0 == tid && call.outcome != Outcome::Pending).collect()
}

fn assert_same_call(call: &Call, oracle: &RawCall) {
    let name = call.syscall.to_string();
    assert_eq!(name, oracle.name, "{call:?} {oracle:?}");
    let args = call.args.get(..oracle.args.len()).expect("six arguments at most");
    // strace shows where the frame of a signal handler lies.
    if name != "rt_sigreturn" {
        assert_eq!(args, oracle.args, "{call:?} {oracle:?}");
    }
    match call.outcome {
        Outcome::Returned { value, .. } => assert!(oracle.returned(value), "{call:?} {oracle:?}"),
        Outcome::Never => assert_eq!(oracle.result.trim(), "?", "{call:?}"),
        other => panic!("{other:?} of {oracle:?}"),
    }
}

fn name_of(signal: i32) -> String {
    match nix::sys::signal::Signal::try_from(signal) {
        Ok(known) => known.as_str().to_owned(),
        // Two of the kernel's real-time signals are the C library's.
        Err(_) => format!("SIGRT_{}", signal - 32),
    }
}

/// `skip`: those that came before strace looked.
fn assert_same_signals(seen: &Seen, tid: u32, skip: usize, oracle: &[String]) {
    let signals: Vec<_> = seen
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Signal(signal) if signal.tid.0 == tid => Some(signal),
            _ => None,
        })
        .skip(skip)
        .collect();
    assert_eq!(signals.len(), oracle.len(), "{signals:?} {oracle:?}");
    for (signal, text) in signals.into_iter().zip(oracle) {
        let field = |name: &str| {
            text.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
        };
        assert_eq!(field("si_signo"), name_of(signal.number), "{text}");
        // What a signal has is there on both sides, and nothing else is.
        let sender = signal.sender.map(|(pid, user)| [pid.to_string(), user.to_string()]).unwrap_or_default();
        assert_eq!([field("si_pid"), field("si_uid")], sender, "{text}");
        let address = signal.address.map(|address| format!("{address:#x}")).unwrap_or_default();
        assert_eq!(field("si_addr"), address, "{text}");
        // strace shows an exit code as a number, and what killed a child by its name.
        let status = signal.status.map(|status| match signal.code {
            nix::libc::CLD_EXITED => status.to_string(),
            _ => nix::sys::signal::Signal::try_from(status).expect("a signal").as_str().to_owned(),
        });
        assert_eq!(field("si_status"), status.unwrap_or_default(), "{text}");
    }
}

fn assert_same_end(seen: &Seen, tid: u32, oracle: &str) {
    let status = seen.events.iter().find_map(|event| match event {
        Event::Exited(exited) if exited.tid.0 == tid => Some(exited.status),
        _ => None,
    });
    let status = status.unwrap_or_else(|| panic!("the end of {tid} was not seen"));
    let text = match status & 0x7f {
        0 => format!("exited with {}", status >> 8 & 0xff),
        number => {
            let signal = nix::sys::signal::Signal::try_from(number).expect("a signal");
            format!("killed by {}", signal.as_str())
        }
    };
    assert_eq!(oracle.trim_end_matches(" (core dumped)"), text);
}

/// Compares thread by thread.
fn assert_same(command: &[&str]) -> (Seen, BTreeMap<u32, RawThread>) {
    let (seen, oracle) = both(command);
    let first = *oracle.keys().next().expect("strace saw a thread");
    for (tid, thread) in &oracle {
        let calls = calls_of(&seen, *tid);
        // Before the exec of the command, its process was strace.
        let skip = if *tid == first { calls.len().saturating_sub(thread.calls.len()) } else { 0 };
        let names = || calls.iter().skip(skip).map(|call| call.syscall.to_string()).collect::<Vec<_>>();
        assert_eq!(calls.len() - skip, thread.calls.len(), "{:#?} {:#?}", names(), thread.calls);
        for (call, oracle) in calls.iter().skip(skip).zip(&thread.calls) {
            assert_same_call(call, oracle);
        }
        // strace stops its child, and lets it go on, before the exec.
        assert_same_signals(&seen, *tid, if *tid == first { 2 } else { 0 }, &thread.signals);
        if let Some(end) = &thread.end {
            assert_same_end(&seen, *tid, end);
        }
    }
    (seen, oracle)
}

#[test]
fn threads_are_shown_as_strace_shows_them() {
    privileged!();
    let (_, oracle) = assert_same(&[&tracee("threads")]);
    assert!(oracle.len() > 60, "the tracee has {} threads", oracle.len());
}

#[test]
fn children_of_every_kind_are_shown_as_strace_shows_them() {
    privileged!();
    for name in ["vfork", "clone3", "daemon", "unshare", "sockets"] {
        let (_, oracle) = assert_same(&[&tracee(name)]);
        assert!(!oracle.is_empty());
    }
}

#[test]
fn signals_are_shown_as_strace_shows_them() {
    privileged!();
    let script = format!("{}; exit 0", tracee("signalled"));
    let (seen, oracle) = assert_same(&["sh", "-c", &script]);
    let signals = oracle.values().map(|thread| thread.signals.len()).sum::<usize>();
    assert!(signals >= 9, "{signals}");
    let codes: std::collections::BTreeSet<_> = seen
        .events
        .iter()
        .filter_map(|event| if let Event::Signal(signal) = event { Some(signal.code) } else { None })
        .collect();
    assert!(codes.len() >= 6, "kinds of senders: {codes:?}");
}

/// The numbers of i386 are those of other calls; its registers are others and 32 bits wide.
#[test]
fn calls_of_32_bit_code_are_shown_as_strace_shows_them() {
    privileged!();
    if !runs_32_bit() {
        say("left out: this kernel runs no 32-bit code");
        return;
    }
    for name in ["int80", "i386"] {
        let (seen, _) = assert_same(&[&tracee(name)]);
        assert!(seen.calls().any(|call| call.syscall.arch == seccomp_trace_core::Arch::X86));
    }
}

/// The thread takes the leader's number in the middle of its call; the leader's own call never ends.
#[test]
fn an_exec_by_another_thread_is_shown_as_strace_shows_it() {
    privileged!();
    let (seen, oracle) = assert_same(&[&tracee("exec_thread")]);
    assert_eq!(oracle.len(), 2);
    let (leader, thread) = (*oracle.keys().next().unwrap(), *oracle.keys().last().unwrap());
    let ended = seen.events.iter().find_map(|event| match event {
        Event::Exited(exited) if exited.tid.0 == leader => exited.superseded_by,
        _ => None,
    });
    assert_eq!(ended.map(|tid| tid.0), Some(thread), "the leader's end");
    let never = seen.calls().filter(|call| call.outcome == Outcome::Never);
    assert!(never.count() >= 2, "the leader's call and exit_group");
}

/// A shell, its children, pipes and signals of children.
#[test]
fn a_shell_and_its_children_are_shown_as_strace_shows_them() {
    privileged!();
    let script = "for i in 1 2 3; do (sleep 0.01; exit $i) & done; wait; ls / | cat >/dev/null; kill -9 $$";
    assert_same(&["sh", "-c", "sh -c '$0'; exit 0", script]);
}

/// strace begins with the exec, and so does the view.
#[test]
fn the_first_call_of_a_command_is_its_exec() {
    privileged!();
    let seen = watch(View::default(), &["true"]);
    let first = seen.calls().next().expect("a call");
    assert_eq!(first.syscall.name(), Some("execve"));
    assert!(matches!(first.outcome, Outcome::Returned { value: 0, .. }));
    let last = seen.calls().last().expect("a call");
    assert_eq!((last.syscall.name(), last.outcome), (Some("exit_group"), Outcome::Never));
    for pair in seen.calls().collect::<Vec<_>>().windows(2) {
        assert!(pair[0].entered <= pair[1].entered, "{pair:?}");
    }
}
