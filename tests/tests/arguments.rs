//! Captured arguments become conditions that hold in the replay, and deny what was not seen.

use std::process::Command;

use nix::sys::signal::{SigHandler, Signal, signal};
use seccomp_trace_core::{ArgValue, Phase, Syscall};
use seccomp_trace_tests::{
    Finished, calls, finish, privileged, read_recording, scratch, seccomp_trace, tracee,
};

/// Opens sockets of these address families; each that is denied is a line "FAMILY: reason".
fn sockets(families: &[i32]) -> Vec<String> {
    let script = "import socket, sys\n\
                  for family in map(int, sys.argv[1:]):\n\
                  \x20   try: socket.socket(family, socket.SOCK_SEQPACKET if family == 38 else socket.SOCK_DGRAM).close()\n\
                  \x20   except OSError as error: print(family, error.errno)";
    let mut words = vec!["python3".to_owned(), "-c".to_owned(), script.to_owned()];
    words.extend(families.iter().map(ToString::to_string));
    words
}

fn under(profile: &std::path::Path, command: &[String]) -> Finished {
    finish(Command::new(env!("CARGO_BIN_EXE_under")).arg(profile).args(command))
}

/// `AF_UNIX` is 1, `AF_INET` 2, `AF_ALG` 38; 38 is also ENOSYS, the errno of a denied call.
#[test]
fn a_socket_of_a_family_that_was_not_seen_is_denied() {
    privileged!();
    let folder = scratch();
    let profile = folder.path().join("profile.json");
    let record = |args: &str| {
        let mut run = Command::new(seccomp_trace());
        run.args(["run", "-q", "--args", args, "-o"]).arg(&profile).arg("--").args(sockets(&[1, 2]));
        let _ = finish(&mut run).success();
    };
    record("default");
    let text = std::fs::read_to_string(&profile).expect("a profile");
    assert!(text.contains("socket(AF_UNIX)") && text.contains("socket(AF_INET)"), "{text}");
    assert_eq!(under(&profile, &sockets(&[1, 2])).success().stdout, "");
    assert_eq!(under(&profile, &sockets(&[1, 38, 2])).success().stdout, "38 38\n");
    record("none");
    assert_ne!(
        under(&profile, &sockets(&[38])).success().stdout,
        "38 38\n",
        "without conditions it gets through"
    );
}

/// More values than are kept say nothing; the call is then allowed with any.
#[test]
fn too_many_values_widen_to_any() {
    privileged!();
    let folder = scratch();
    let (recording, profile) = (folder.path().join("recording.json"), folder.path().join("profile.json"));
    let script = "import ctypes\nfor i in range(100, 140): ctypes.CDLL(None).prctl(i, 0, 0, 0, 0)";
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--for", "none", "--args", "prctl", "--recording"]).arg(&recording);
    let _ = finish(run.arg("-o").arg(&profile).args(["--", "python3", "-c", script])).success();
    let recording = read_recording(&recording);
    let prctl = calls(["prctl"]).into_iter().next().expect("one");
    let args = recording.calls()[&prctl][&Phase::Workload].args.clone().expect("captured");
    assert!(args.widened && args.values.len() <= 32, "{args:?}");
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&profile).expect("a profile")).expect("JSON");
    let rules = json["syscalls"].as_array().expect("rules");
    let prctl =
        rules.iter().filter(|rule| rule["names"].as_array().is_some_and(|n| n.contains(&"prctl".into())));
    assert!(prctl.clone().count() == 1 && prctl.clone().all(|rule| rule["args"] == serde_json::json!([])));
}

/// The same value in another register would be another argument: arguments of int 0x80 are bx, cx, dx, …
#[test]
fn values_and_counts_are_exact() {
    privileged!();
    let folder = scratch();
    let recording = folder.path().join("recording.json");
    let script =
        "import ctypes\nfor i in [5, 5, 5, 0x20000]: ctypes.CDLL(None).personality(ctypes.c_ulong(i))";
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--args", "personality", "--recording"]).arg(&recording);
    let _ = finish(run.args(["--", "setarch", "-R", "python3", "-c", script]));
    let recording = read_recording(&recording);
    let personality: Syscall = calls(["personality"]).into_iter().next().expect("one");
    let args = recording.calls()[&personality][&Phase::Workload].args.clone().expect("captured");
    assert_eq!(args.values[&ArgValue(5)], 3, "{args:?}");
    assert_eq!(args.values[&ArgValue(0x2_0000)], 1, "{args:?}");
}

/// A program that embeds the collector keeps its own way of heeding children.
#[test]
fn an_embedders_signal_handling_comes_back() {
    privileged!();
    use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Session, Target};
    extern "C" fn handler(_: i32) {}
    // SAFETY: the handler does nothing.
    unsafe { signal(Signal::SIGCHLD, SigHandler::Handler(handler)) }.expect("a handler");
    let caught = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("the status");
        let lines = ["SigCgt", "SigBlk", "SigIgn"];
        status
            .lines()
            .filter(|line| lines.iter().any(|l| line.starts_with(l)))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = caught();
    let tracer = seccomp_trace_bpf::Tracer::builder().load().expect("a tracer");
    let mut session = tracer.observe(Target::Command(CommandSpec::new(tracee("caller")))).expect("a session");
    while !session.poll(None, &mut NoSink).expect("polled") {}
    drop(session.finish(Ended::TargetEnded).expect("finished"));
    assert_eq!(caught(), before);
}
