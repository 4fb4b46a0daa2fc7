//! What may be missing is said loudly, and an error where the user asks for that.

use std::process::Command;

use seccomp_trace_tests::{Finished, finish, privileged, read_recording, scratch, seccomp_trace, tracee};

/// More unknown numbers than their table holds: a loss that a program can cause at will.
fn lossy(options: &[&str]) -> Finished {
    let folder = scratch();
    let file = folder.path().join("recording.json");
    let finished = finish(
        Command::new(seccomp_trace()).args(["run", "--recording"]).arg(&file).args(options).arg("--").args([
            &tracee("numbers"),
            "100000",
            "5000",
        ]),
    );
    assert!(read_recording(&file).losses().number_overflow > 0);
    finished
}

#[test]
fn a_loss_is_said_even_when_quiet() {
    privileged!();
    for options in [&[][..], &["-q"]] {
        let finished = lossy(options);
        assert_eq!(finished.code(), 0, "{finished:?}");
        assert!(finished.stderr.contains("possibly incomplete"), "{finished:?}");
        assert!(finished.stderr.contains("unknown syscall numbers"), "{finished:?}");
    }
}

#[test]
fn strict_makes_a_loss_an_error_and_nothing_else() {
    privileged!();
    let finished = lossy(&["--strict"]);
    assert_eq!(finished.code(), 125, "{finished:?}");
    assert!(finished.stderr.contains("--strict"), "{finished:?}");
    let complete = finish(Command::new(seccomp_trace()).args(["run", "-q", "--strict", "--", "true"]));
    assert_eq!((complete.code(), complete.stderr.as_str()), (0, ""));
}
