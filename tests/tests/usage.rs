//! Bad input: a clear sentence, the right status, and nothing lost. The command is not started.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, privileged, scratch, seccomp_trace};

/// `seccomp-trace run ARGUMENTS -- touch mark`, which must be refused with 125 before the command starts, and name
/// each of `named` on standard error.
fn refused(arguments: &[&str], prepare: impl Fn(&Path), named: &[&str]) {
    let folder = scratch();
    prepare(folder.path());
    let finished = finish(
        Command::new(seccomp_trace())
            .current_dir(folder.path())
            .arg("run")
            .args(arguments)
            .args(["--", "sh", "-c", ": >mark"]),
    );
    let what = format!("run {arguments:?}");
    assert_eq!(finished.code(), 125, "{what}: {finished:?}");
    names(&what, &finished, named);
    assert!(!folder.path().join("mark").exists(), "{what}: the command was started");
}

fn names(what: &str, finished: &Finished, named: &[&str]) {
    for word in named {
        assert!(finished.stderr.contains(word), "{what}: {word:?} is not named: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("panicked"), "{what}: {}", finished.stderr);
}

fn generate(folder: &Path, arguments: &[&str]) -> Finished {
    finish(Command::new(seccomp_trace()).current_dir(folder).arg("generate").args(arguments))
}

const EMPTY_RECORDING: &str = r#"{"seccomp_trace_recording":1,"runs":{},"syscalls":[]}"#;

/// Finding out after an hour of recording that nothing can be written would lose the hour.
#[test]
fn an_unwritable_output_is_found_before_the_command_runs() {
    privileged!();
    for option in ["-o", "--recording"] {
        refused(&[option, "no/such/folder/out.json"], |_| {}, &["no/such/folder"]);
        refused(&[option, "file/out.json"], |folder| fs::write(folder.join("file"), "").unwrap(), &["file"]);
        refused(&[option, "/proc/out.json"], |_| {}, &["/proc"]);
        refused(&[option, "taken"], |folder| fs::create_dir(folder.join("taken")).unwrap(), &["taken"]);
    }
}

#[test]
fn a_base_that_cannot_be_used_is_found_before_the_command_runs() {
    privileged!();
    let output = ["-o", "out.json", "-i", "base.json"];
    let base = |text: &'static str| move |folder: &Path| fs::write(folder.join("base.json"), text).unwrap();
    refused(&output, |_| {}, &["base.json"]);
    refused(&output, base("not JSON"), &["base.json", "line 1"]);
    refused(&output, base("{\"defaultAction\": 7}"), &["base.json", "defaultAction"]);
    refused(
        &output,
        base(
            "{\"defaultAction\": \"SCMP_ACT_ERRNO\",\n\"syscalls\": [{\"names\": \"read\", \"action\": \"SCMP_ACT_ALLOW\"}]}",
        ),
        &["base.json", "syscalls[0].names", "line 2"],
    );
}

#[test]
fn an_unknown_runtime_is_refused_with_the_known_ones() {
    privileged!();
    refused(&["--for", "dockerd"], |_| {}, &["dockerd", "crun", "runc"]);
}

#[test]
fn usage_errors_of_run_have_status_125() {
    for arguments in
        [&["run"][..], &["run", "--no-such-option", "--", "true"], &["run", "--errno", "EWHAT", "--", "true"]]
    {
        let finished = finish(Command::new(seccomp_trace()).args(arguments));
        assert_eq!(finished.code(), 125, "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty());
    }
}

#[test]
fn usage_errors_of_other_subcommands_have_status_2() {
    let folder = scratch();
    fs::write(folder.path().join("recording.json"), EMPTY_RECORDING).unwrap();
    let unknown = generate(folder.path(), &["recording.json", "--for", "dockerd"]);
    assert_eq!(unknown.code(), 2, "{unknown:?}");
    names("generate --for dockerd", &unknown, &["dockerd", "crun", "runc"]);
    for arguments in [&["generate"][..], &["generate", "--no-such-option"], &["no-such-subcommand"], &[]] {
        let finished = finish(Command::new(seccomp_trace()).args(arguments));
        assert_eq!(finished.code(), 2, "{arguments:?}: {finished:?}");
    }
}

/// Each with its place, so that a hand-edited file can be mended.
#[test]
fn what_is_not_a_recording_is_refused_by_name_and_place() {
    let folder = scratch();
    let refused = |name: &str, text: Option<&str>, named: &[&str]| {
        if let Some(text) = text {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let finished = generate(folder.path(), &[name, "-o", "out.json"]);
        assert_eq!(finished.code(), 2, "{name}: {finished:?}");
        names(name, &finished, &[&[name], named].concat());
        assert!(!folder.path().join("out.json").exists(), "{name}: a profile was written");
    };
    refused("missing.json", None, &[]);
    refused("text.json", Some("not JSON"), &["line 1"]);
    refused("profile.json", Some("{\"defaultAction\": \"SCMP_ACT_ERRNO\"}"), &["defaultAction"]);
    refused("newer.json", Some("{\"seccomp_trace_recording\": 99, \"novelty\": []}"), &["99"]);
}

/// One sentence of fact; a help text and a version exist.
#[test]
fn help_and_version_are_there() {
    for option in ["--help", "--version"] {
        let finished = finish(Command::new(seccomp_trace()).arg(option)).success();
        assert!(finished.stdout.contains("seccomp-trace"), "{finished:?}");
    }
}
