//! ^Z and fg work on a traced command as on any other.

use seccomp_trace_tests::{Terminal, privileged, scratch, seccomp_trace, tracee};

/// The same session with and without us; `through` is what stands before the command.
fn stop_and_continue(through: &str) -> String {
    let script = format!(
        "set -m; {through} {} nanosleep 400; echo stopped=$?; fg >/dev/null; echo ended=$?",
        tracee("sleeper")
    );
    let mut terminal = Terminal::start("sh", &["-c", &script]);
    terminal.expect("ready");
    terminal.press("\x1a");
    terminal.expect("stopped=");
    terminal.expect("slept");
    terminal.expect("ended=0");
    let (status, shown) = terminal.wait();
    assert!(status.success(), "{status}: {shown}");
    let code = shown.split("stopped=").nth(1).and_then(|rest| rest.split_whitespace().next());
    code.unwrap_or_else(|| panic!("{shown}")).to_owned()
}

/// The shell sees a stopped job, and the sleep goes on to its end (through `restart_syscall`).
#[test]
fn a_command_can_be_stopped_and_continued_from_the_terminal() {
    privileged!();
    let folder = scratch();
    let recording = folder.path().join("recording.json");
    let ours = format!("{} run -q --recording {} --", seccomp_trace().display(), recording.display());
    let direct = stop_and_continue("");
    assert_eq!(direct, "148", "the shell of this machine numbers a stop otherwise");
    assert_eq!(stop_and_continue(&ours), direct);
}
