//! `seccomp-trace lint`: findings, JSON, and the status for CI. No root.

use std::fs;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, scratch, seccomp_trace};

fn lint(text: &str, arguments: &[&str]) -> Finished {
    let folder = scratch();
    fs::write(folder.path().join("p.json"), text).expect("a file of ours");
    finish(Command::new(seccomp_trace()).current_dir(folder.path()).args(["lint", "p.json"]).args(arguments))
}

const OPEN: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW"}"#;
const POINTER: &str = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["openat"], "action": "SCMP_ACT_ERRNO",
    "args": [{"index": 1, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#;

#[test]
fn findings_are_said_with_code_place_and_remedy() {
    let found = lint(POINTER, &[]).success();
    for word in ["error[ST010]", "p.json: syscalls[0].args[0]", "Remove the condition", "ST002"] {
        assert!(found.stdout.contains(word), "{word}: {}", found.stdout);
    }
}

#[test]
fn json_is_one_array() {
    let found = lint(OPEN, &["--json"]).success();
    let value: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(value[0]["code"], "ST002");
    assert_eq!(value[0]["severity"], "error");
    assert_eq!(value[0]["path"], "defaultAction");
}

#[test]
fn the_status_is_0_1_or_2() {
    assert_eq!(lint(OPEN, &[]).code(), 0);
    assert_eq!(lint(OPEN, &["--deny", "error"]).code(), 1);
    let clean = r#"{"defaultAction": "SCMP_ACT_KILL_PROCESS", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
        {"names": ["execve", "exit", "exit_group", "getcpu", "gettimeofday", "restart_syscall", "rt_sigreturn", "time"],
         "action": "SCMP_ACT_ALLOW"}]}"#;
    let found = lint(clean, &["--deny", "note", "--for", "none", "--machine", "x86_64"]);
    assert_eq!(found.code(), 0, "{found:?}");
    assert_eq!(lint(clean, &["--deny", "error", "--for", "crun"]).code(), 1, "crun cannot start it");
    assert_eq!(lint("{}", &["--deny", "error"]).code(), 2);
    assert_eq!(lint(OPEN, &["--deny", "fatal"]).code(), 2);
}
