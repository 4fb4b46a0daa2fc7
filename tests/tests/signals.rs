//! A signal reaches the command exactly once: forwarded when it was sent to us alone, and not again when it was sent
//! to the whole foreground group.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::{
    Running, Terminal, finish, full, pause, privileged, scratch, seccomp_trace, tracee,
};

fn start(folder: &tempfile::TempDir) -> Running {
    let run = Running::start(
        Command::new(seccomp_trace())
            .args(["run", "-q", "--recording"])
            .arg(folder.path().join("recording.json"))
            .args(["--", &tracee("signals")]),
    );
    assert_eq!(run.line(), "ready");
    run
}

/// After the last signal, time for a second copy to arrive: one that comes later than this is not seen, and that
/// makes the test pass wrongly at worst, never fail wrongly.
const ECHO: u64 = 200;

/// What a service manager does.
#[test]
fn a_signal_to_us_alone_is_forwarded_once() {
    privileged!();
    let folder = scratch();
    let run = start(&folder);
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGINT, "INT"),
    ] {
        run.signal(signal);
        assert_eq!(run.line(), format!("{name} 1"));
    }
    pause(ECHO);
    run.signal(Signal::SIGUSR2);
    let finished = run.wait().success();
    assert_eq!(finished.stdout, "HUP=1 INT=1 TERM=1 USR1=1 end\n");
}

/// What a shell or a terminal does: the command has it already, and forwarding would make it two.
#[test]
fn a_signal_to_the_whole_group_arrives_once() {
    privileged!();
    let folder = scratch();
    let run = start(&folder);
    for (signal, name) in [
        (Signal::SIGTERM, "TERM"),
        (Signal::SIGUSR1, "USR1"),
        (Signal::SIGHUP, "HUP"),
        (Signal::SIGINT, "INT"),
    ] {
        run.signal_group(signal);
        assert_eq!(run.line(), format!("{name} 1"));
        pause(ECHO);
    }
    run.signal(Signal::SIGUSR2);
    let finished = run.wait().success();
    assert_eq!(finished.stdout, "HUP=1 INT=1 TERM=1 USR1=1 end\n");
}

/// The terminal itself sends it to the foreground group.
#[test]
fn control_c_arrives_once() {
    privileged!();
    let folder = scratch();
    let recording = folder.path().join("recording.json").display().to_string();
    let program = seccomp_trace().display().to_string();
    let mut terminal =
        Terminal::start(&program, &["run", "-q", "--recording", &recording, "--", &tracee("signals")]);
    terminal.expect("ready");
    terminal.press("\x03");
    terminal.expect("INT 1");
    pause(ECHO);
    terminal.press("\x1c");
    terminal.expect("QUIT 1");
    pause(ECHO);
    terminal.signal(Signal::SIGUSR2);
    let (status, shown) = terminal.wait();
    assert!(status.success(), "{status}: {shown}");
    assert!(shown.contains("INT=1 QUIT=1 end"), "{shown}");
}

/// Everything is recorded by then, and lost if the signal ends the process before it is written.
#[test]
fn a_signal_between_the_last_look_and_the_end_is_outlived() {
    privileged!();
    let finished = finish(&mut Command::new(env!("CARGO_BIN_EXE_late-signals"))).success();
    assert!(finished.stdout.starts_with("finished with"), "{finished:?}");
}

/// Whoever asks now and then for what was recorded so far may do so while the target ends and all is written.
#[test]
fn a_question_at_the_end_ends_nothing() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("p.json");
    for _ in 0..if full() { 50 } else { 10 } {
        let mut waiting = Tracee::start("inflight", &[]);
        let attach = attached(&["-p", &waiting.pid(), "-o", file.to_str().expect("UTF-8")]);
        waiting.close_input();
        for _ in 0..200 {
            attach.signal(Signal::SIGUSR1);
            std::thread::sleep(Duration::from_micros(500));
        }
        drop(attach.wait().success());
        std::fs::remove_file(&file).expect("a profile");
        waiting.ends();
    }
}
