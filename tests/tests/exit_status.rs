//! The exit status is the command's: its code, or death by the same signal.

use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::{Finished, finish, full, privileged, scratch, seccomp_trace};

fn run(script: &str) -> Finished {
    let folder = scratch();
    // No core files: some of these commands die of signals that write one.
    finish(
        Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", "ulimit -c 0; exec \"$@\"", "sh"])
            .arg(seccomp_trace())
            .args(["run", "-q", "--recording", "recording.json", "--", "sh", "-c", script]),
    )
}

/// Among them 125 to 127, which are ours too, and 128 to 255, which shells use for signals.
#[test]
fn every_exit_code_is_passed_on() {
    privileged!();
    let codes: Vec<i32> =
        if full() { (0..=255).collect() } else { vec![0, 1, 2, 42, 124, 125, 126, 127, 128, 130, 143, 255] };
    for code in codes {
        assert_eq!(run(&format!("exit {code}")).code(), code);
    }
}

/// A shell that started us must see the death by a signal that it would have seen.
#[test]
fn death_by_a_signal_is_passed_on() {
    privileged!();
    for signal in [
        Signal::SIGTERM,
        Signal::SIGKILL,
        Signal::SIGSEGV,
        Signal::SIGABRT,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGPIPE,
        Signal::SIGSYS,
    ] {
        let finished = run(&format!("kill -{} $$", &signal.as_str()[3..]));
        assert_eq!(finished.signal(), Some(signal as i32), "{signal}: {finished:?}");
    }
}

#[test]
fn a_command_that_is_not_found_gives_127() {
    privileged!();
    let finished = finish(Command::new(seccomp_trace()).args(["run", "--", "no-such-command-anywhere"]));
    assert_eq!(finished.code(), 127);
    assert!(finished.stderr.contains("no-such-command-anywhere"), "{}", finished.stderr);
}

#[test]
fn a_command_that_cannot_be_executed_gives_126() {
    privileged!();
    for path in ["/etc/passwd", "/etc"] {
        let finished = finish(Command::new(seccomp_trace()).args(["run", "--", path]));
        assert_eq!(finished.code(), 126, "{path}: {}", finished.stderr);
        assert!(finished.stderr.contains(path), "{}", finished.stderr);
    }
}
