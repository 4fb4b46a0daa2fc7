//! Where results go: never over one another, never nowhere, and never in the way of a signal.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::{Running, finish, privileged, scratch, seccomp_trace, wait_until};

fn run(folder: &Path, words: &[&str]) -> Command {
    let mut run = Command::new(seccomp_trace());
    run.current_dir(folder).arg("run").args(words);
    run
}

/// Runs a line of shell in which `$S` is the program under test.
fn shell(folder: &Path, line: &str) -> seccomp_trace_tests::Finished {
    finish(Command::new("bash").current_dir(folder).env("S", seccomp_trace()).args(["-c", line]))
}

#[test]
fn one_file_for_profile_and_recording_is_refused_under_any_name() {
    privileged!();
    let folder = scratch();
    std::os::unix::fs::symlink("one.json", folder.path().join("link.json")).expect("a link");
    for (profile, recording) in [("one.json", "one.json"), ("one.json", "link.json"), ("-", "-")] {
        let words = ["-o", profile, "--recording", recording, "--", "touch", "started"];
        let finished = finish(&mut run(folder.path(), &words));
        assert_eq!(finished.code(), 125, "{finished:?}");
        assert!(finished.stderr.contains("the same file"), "{finished:?}");
    }
    assert!(!folder.path().join("started").exists(), "it was found before the command started");
}

#[test]
fn a_closed_or_read_only_standard_output_is_an_error() {
    privileged!();
    let folder = scratch();
    for how in [">&-", "1</dev/null"] {
        let finished = shell(folder.path(), &format!("\"$S\" run -o - -- true {how}; echo $? >&2"));
        assert!(finished.stderr.contains("cannot write -"), "{finished:?}");
        assert!(finished.stderr.ends_with("125\n"), "{finished:?}");
    }
}

/// The command's own output is in the same file; replacing it would lose that.
#[test]
fn a_stream_named_as_a_device_is_appended_to() {
    privileged!();
    let folder = scratch();
    let _ = shell(folder.path(), "\"$S\" run -q -o /dev/stdout -- echo first > out").success();
    let text = fs::read_to_string(folder.path().join("out")).expect("the output");
    let (first, profile) = text.split_once('\n').expect("two parts");
    assert_eq!(first, "first");
    assert!(profile.starts_with("{\n") && profile.ends_with("}\n"), "{profile}");
    let piped = shell(folder.path(), "\"$S\" run -q -o >(cat > copy) -- true; wait $!").success();
    wait_until("the reader of the pipe", || {
        fs::read_to_string(folder.path().join("copy")).is_ok_and(|text| text.ends_with("}\n"))
    });
    assert_eq!(piped.stderr, "");
}

#[test]
fn a_stderr_that_cannot_be_written_changes_no_status() {
    privileged!();
    let folder = scratch();
    for (command, status) in [("sh -c 'exit 3'", 3), ("/nonexistent/program", 127)] {
        let line = format!("\"$S\" run -o p.json -- {command} 2>/dev/full");
        assert_eq!(shell(folder.path(), &line).code(), status, "{command}");
    }
}

/// Nobody reads the pipe: to wait for a reader is right, and to be stopped by a signal meanwhile.
#[test]
fn a_signal_ends_the_wait_for_the_reader_of_a_pipe() {
    privileged!();
    let folder = scratch();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::from_bits_truncate(0o600)).expect("a pipe");
    let running = Running::start(&mut run(folder.path(), &["-q", "-o", "pipe", "--", "touch", "done"]));
    wait_until("the command", || folder.path().join("done").exists());
    // The first can still be taken for the end of the recording, so until one is heeded.
    let state = || fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap_or_default();
    wait_until("the death by SIGTERM", || {
        running.signal(Signal::SIGTERM);
        state().contains(") Z ")
    });
    assert_eq!(running.wait().signal(), Some(Signal::SIGTERM as i32));
}

/// The command may not be easy to run again.
#[test]
fn a_run_whose_output_cannot_be_written_keeps_its_recording() {
    privileged!();
    let folder = scratch();
    let gone = folder.path().join("gone");
    fs::create_dir(&gone).expect("a folder");
    let mut vanishing = run(folder.path(), &["-o", "gone/p.json", "--", "rmdir", "gone"]);
    let finished = finish(vanishing.env("TMPDIR", folder.path()));
    assert_eq!(finished.code(), 125, "{finished:?}");
    let kept = fs::read_dir(folder.path())
        .expect("the folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "json"))
        .unwrap_or_else(|| panic!("nothing was kept: {finished:?}"));
    assert!(finished.stderr.contains(&*kept.to_string_lossy()), "{finished:?}");
    let _ = finish(Command::new(seccomp_trace()).arg("generate").arg(&kept)).success();
}

#[test]
fn what_base_does_not_allow_is_named() {
    privileged!();
    let folder = scratch();
    let base = r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"},
        {"names": ["rmdir"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
        {"names": ["getpid"], "action": "SCMP_ACT_ALLOW"}]}"#;
    fs::write(folder.path().join("base.json"), base).expect("a file");
    let words = ["-i", "base.json", "-o", "p.json", "--", "sh", "-c", "mkdir made; rmdir made"];
    let finished = finish(&mut run(folder.path(), &words)).success();
    let line = finished.stderr.lines().find(|line| line.contains("not allowed here")).expect("a line");
    assert!(line.contains("mkdir (x86_64)") || line.contains("mkdir (aarch64)"), "{finished:?}");
    assert!(line.contains("rmdir") && !line.contains("getpid"), "{finished:?}");
}
