//! `--compare FILE`: what a recording needs and FILE denies, what FILE allows and no recording used, and the statuses.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, privileged, scratch, seccomp_trace};
use serde_json::{Value, json};

const RECORDING: &str = r#"{"seccomp_trace_recording": 1, "runs": {}, "syscalls": [
    {"arch": "x86_64", "nr": 0, "workload": {}}, {"arch": "x86_64", "nr": 165, "workload": {}},
    {"arch": "x86_64", "nr": 41, "workload": {"args": {"index": 0, "values": {"0x1": 4, "0x26": 1}}}}]}"#;

/// Allows `read`, `getsid` which nobody recorded, a family that was recorded and one that was not.
const PROFILE: &str = r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [
    {"names": ["read", "getsid", "rt_sigreturn", "exit_group", "capset"], "action": "SCMP_ACT_ALLOW"},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
    {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 10, "op": "SCMP_CMP_EQ"}]}]}"#;

/// As `PROFILE`, with all that was recorded.
fn enough() -> String {
    PROFILE.replace(r#""value": 1,"#, r#""value": 38,"#).replace(
        r#""syscalls": ["#,
        r#""syscalls": [
        {"names": ["mount"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},"#,
    )
}

fn folder() -> tempfile::TempDir {
    let folder = scratch();
    for (name, text) in [("r.json", RECORDING), ("p.json", PROFILE), ("enough.json", &enough())] {
        fs::write(folder.path().join(name), text).expect("a file of ours");
    }
    folder
}

fn generate(folder: &Path, words: &[&str]) -> Finished {
    finish(Command::new(seccomp_trace()).current_dir(folder).args(["generate", "r.json"]).args(words))
}

#[test]
fn what_a_profile_denies_and_what_it_allows_for_nothing_are_listed() {
    let folder = folder();
    let found = generate(folder.path(), &["--compare", "p.json", "--json"]);
    assert_eq!(found.code(), 1, "{found:?}");
    let report: Value = serde_json::from_str(&found.stdout).expect("JSON");
    let denied = report["denied"].as_array().expect("a list");
    let shown: Vec<_> = denied.iter().map(|call| (call["syscall"].clone(), call["value"].clone())).collect();
    assert_eq!(shown, [(json!("mount"), Value::Null), (json!("socket"), json!("AF_ALG"))], "{report}");
    // Neither what every program may need nor what a runtime needs, which no recording shows.
    assert_eq!(report["unused"], json!(["getsid"]), "{report}");
    assert_eq!(report["unused_values"], json!(["socket(AF_INET6)"]));
    assert_eq!(report["unused_arches"], json!(["x86"]));
    assert!(report["environment"]["caps"].as_array().is_some_and(|caps| caps.len() == 11), "{report}");
    assert_eq!(report["allows_by_default"], false);

    let said = generate(folder.path(), &["--compare", "p.json"]);
    assert_eq!((said.code(), said.stdout.as_str()), (1, ""), "no profile is made unless one is wanted");
    for line in
        ["denies it: mount of x86_64: SCMP_ACT_ERRNO 38", "socket(AF_ALG)", "never used: getsid", "kernel"]
    {
        assert!(said.stderr.contains(line), "{line}: {}", said.stderr);
    }
}

#[test]
fn a_profile_that_is_enough_gives_0_and_1_where_it_may_not_be_too_wide() {
    let folder = folder();
    let _ = generate(folder.path(), &["--compare", "enough.json"]).success();
    assert_eq!(generate(folder.path(), &["--compare", "enough.json", "--deny-unused"]).code(), 1);
    // A profile made from the recording is what the recording needs.
    let _ = generate(folder.path(), &["-o", "made.json"]).success();
    let same = generate(folder.path(), &["--compare", "made.json", "--deny-unused"]).success();
    assert!(!same.stderr.contains("never used"), "{}", same.stderr);
    assert_eq!(
        generate(folder.path(), &["--compare", "made.json", "--deny-unused", "--for", "none"]).code(),
        1
    );
}

/// `socket` of an unknown family may be one of those that are allowed, or not: neither is claimed.
#[test]
fn arguments_that_were_not_captured_are_said_to_be_unknown() {
    let folder = folder();
    let bare = RECORDING.replace(r#"{"args": {"index": 0, "values": {"0x1": 4, "0x26": 1}}}"#, "{}");
    fs::write(folder.path().join("r.json"), bare).expect("a file of ours");
    let found = generate(folder.path(), &["--compare", "enough.json", "--json"]).success();
    let report: Value = serde_json::from_str(&found.stdout).expect("JSON");
    assert_eq!(report["depends_on_arguments"], json!(["socket"]), "{report}");
    assert_eq!(report["unused_values"], json!([]), "{report}");
}

#[test]
fn a_file_that_cannot_be_compared_with_is_trouble() {
    let folder = folder();
    for (words, named) in [
        (&["--compare", "r.json"][..], "r.json"),
        (&["--compare", "missing.json"], "missing.json"),
        (&["--compare", "p.json", "--json", "-o", "-"], "standard output"),
        (&["--json"], "--compare"),
    ] {
        let finished = generate(folder.path(), words);
        assert_eq!(finished.code(), 2, "{words:?}: {finished:?}");
        assert!(finished.stderr.contains(named), "{words:?}: {}", finished.stderr);
    }
}

/// The command's own status is never hidden; 125 takes the place of 0 alone.
#[test]
fn run_gives_125_where_the_command_gave_0() {
    privileged!();
    let folder = folder();
    let run = |words: &[&str]| {
        finish(Command::new(seccomp_trace()).current_dir(folder.path()).args(["run", "-q"]).args(words))
    };
    let _ = run(&["-o", "own.json", "--", "sh", "-c", "exit 0"]).success();
    let _ = run(&["--compare", "own.json", "--", "sh", "-c", "exit 0"]).success();
    let found = run(&["--compare", "p.json", "--", "sh", "-c", "exit 0"]);
    assert_eq!(found.code(), 125, "{found:?}");
    assert!(found.stderr.contains("p.json denies what was recorded"), "{}", found.stderr);
    assert_eq!(run(&["--compare", "p.json", "--", "sh", "-c", "exit 7"]).code(), 7);
    let unread = run(&["--compare", "missing.json", "--", "sh", "-c", ": > started"]);
    assert_eq!(unread.code(), 125);
    assert!(!folder.path().join("started").exists(), "the command was not started");
    let report = run(&["--compare", "p.json", "--json", "--", "true"]);
    assert!(report.stdout.contains("\"denied\""), "{report:?}");
}
