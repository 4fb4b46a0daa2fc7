//! `seccomp-trace explain`. No root.

use std::fs;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, scratch, seccomp_trace};

const PROFILE: &str = r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
    {"names": ["read", "bpf"], "action": "SCMP_ACT_ALLOW", "comment": "seccomp-trace: workload"},
    {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}}]}"#;

const RECORDING: &str = r#"{"seccomp_trace_recording": 1, "runs": {}, "syscalls": [
    {"arch": "x86_64", "nr": 0, "workload": {"first":
        {"time": "2026-01-01T00:00:00Z", "pid": 7, "tid": 7, "comm": "sh"}}}]}"#;

fn explain(arguments: &[&str]) -> Finished {
    let folder = scratch();
    fs::write(folder.path().join("p.json"), PROFILE).expect("a file of ours");
    fs::write(folder.path().join("r.json"), RECORDING).expect("a file of ours");
    let mut command = Command::new(seccomp_trace());
    command.current_dir(folder.path()).args(["explain", "--machine", "x86_64", "p.json"]).args(arguments);
    finish(&mut command)
}

#[test]
fn all_calls_of_the_profile_are_explained() {
    let found = explain(&[]).success();
    for word in ["read @basic-io", "the program called it", "widens the attack surface", "chroot", "x86_64"] {
        assert!(found.stdout.contains(word), "{word}: {}", found.stdout);
    }
    assert!(found.stderr.contains("CAP_SYS_CHROOT"), "what was assumed is said: {}", found.stderr);
}

#[test]
fn a_call_that_is_asked_for_may_be_denied_or_depend_on_capabilities() {
    let found = explain(&["ptrace"]).success();
    assert!(found.stdout.contains("decided by the default action"), "{}", found.stdout);
    let found = explain(&["chroot", "--caps", "none", "--json"]).success();
    let value: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(value[0]["arches"][0]["verdict"], "SCMP_ACT_ERRNO 1");
}

#[test]
fn a_recording_says_who_called_first() {
    let found = explain(&["read", "--recording", "r.json"]).success();
    assert!(found.stdout.contains("first by sh (7), in r.json"), "{}", found.stdout);
}

#[test]
fn a_misspelt_name_is_trouble_with_a_remedy() {
    let found = explain(&["ptrase"]);
    assert_eq!(found.code(), 2);
    assert!(found.stderr.contains("did you mean ptrace"), "{}", found.stderr);
}
