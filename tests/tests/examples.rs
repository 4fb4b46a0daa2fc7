//! The examples do what their first lines say.

use std::path::PathBuf;
use std::process::Command;

use seccomp_trace_tests::{Running, finish, privileged, seccomp_trace, tracee};

fn example(name: &str) -> Command {
    let path: PathBuf = seccomp_trace().with_file_name(name);
    assert!(path.exists(), "{} is not built: `cargo build --workspace --bins`", path.display());
    Command::new(path)
}

#[test]
fn record_command_prints_a_profile() {
    privileged!();
    let finished = finish(example("record_command").args([&tracee("caller"), "getitimer"])).success();
    let profile: serde_json::Value = serde_json::from_str(&finished.stdout).expect("JSON");
    assert!(profile["syscalls"][0]["names"].as_array().expect("names").contains(&"getitimer".into()));
}

#[test]
fn custom_sink_prints_each_call_when_it_is_new() {
    privileged!();
    let finished = finish(example("custom_sink").args([&tracee("caller"), "getitimer"])).success();
    assert_eq!(finished.stdout.matches(" getitimer by caller (").count(), 1, "{finished:?}");
    assert!(finished.stdout.contains("TargetEnded"), "{finished:?}");
}

#[test]
fn watch_pid_prints_what_a_running_process_calls() {
    privileged!();
    let sleeper = Running::start(Command::new(tracee("sleeper")).args(["nanosleep", "700"]));
    assert_eq!(sleeper.line(), "ready");
    let finished = finish(example("watch_pid").arg(sleeper.pid().to_string())).success();
    assert!(
        finished.stdout.contains(" write\n") && finished.stdout.contains(" exit_group\n"),
        "{finished:?}"
    );
    let _ = sleeper.wait().success();
}
