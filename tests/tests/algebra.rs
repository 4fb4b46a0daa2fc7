//! `seccomp-trace merge`, `diff` and `subset`: what they print, and the statuses for scripts. No root.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, scratch, seccomp_trace};
use serde_json::Value;

fn profile(rules: &str) -> String {
    format!(r#"{{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [{rules}]}}"#)
}

const READ: &str = r#"{"names": ["read"], "action": "SCMP_ACT_ALLOW"}"#;
const WRITE: &str = r#"{"names": ["write"], "action": "SCMP_ACT_ALLOW"}"#;
const SOCKET: &str = r#"{"names": ["socket"], "action": "SCMP_ACT_ALLOW",
    "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}"#;
const MOUNT: &str =
    r#"{"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}"#;

/// A folder with `a.json`, which has `a`, and so on.
fn files(contents: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = scratch();
    for (name, rules) in contents {
        fs::write(folder.path().join(format!("{name}.json")), profile(rules)).expect("a file of ours");
    }
    folder
}

fn verb(folder: &Path, words: &[&str]) -> Finished {
    finish(Command::new(seccomp_trace()).current_dir(folder).args(words).args(["--machine", "x86_64"]))
}

fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:#?}"))
}

#[test]
fn a_union_has_what_any_has_and_an_intersection_what_all_have() {
    let folder = files(&[("a", &format!("{READ},{SOCKET}")), ("b", &format!("{READ},{WRITE}"))]);
    let names = |finished: Finished| {
        let rules = json(&finished.success())["syscalls"].take();
        let names =
            rules.as_array().expect("rules").iter().flat_map(|rule| rule["names"].as_array().cloned());
        names.flatten().map(|name| name.as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let mut union = names(verb(folder.path(), &["merge", "a.json", "b.json"]));
    union.sort();
    assert_eq!(union, ["read", "socket", "write"]);
    assert_eq!(names(verb(folder.path(), &["merge", "--intersect", "a.json", "b.json"])), ["read"]);
}

#[test]
fn a_merge_says_what_it_proved_and_for_which_container() {
    let folder = files(&[("a", READ), ("b", WRITE)]);
    let words =
        ["merge", "a.json", "b.json", "-o", "out.json", "--json", "--caps", "none", "--kernel", "6.1"];
    let report = json(&verb(folder.path(), &words).success());
    assert_eq!(report["environment"]["kernel"], "6.1");
    assert_eq!(report["environment"]["caps"], serde_json::json!([]));
    assert!(report["proved"].as_u64().expect("a number") >= 3, "{report}");
    let unproved = verb(folder.path(), &["merge", "a.json", "--no-check"]).success();
    assert!(unproved.stderr.contains("not checked"), "{}", unproved.stderr);
    assert!(
        unproved.stderr.contains("kernel") && unproved.stderr.contains("CAP_CHOWN"),
        "{}",
        unproved.stderr
    );
}

#[test]
fn a_difference_is_said_with_its_kind_and_the_status_is_1() {
    let folder = files(&[("a", &format!("{READ},{SOCKET}")), ("b", &format!("{READ},{WRITE}"))]);
    let found = verb(folder.path(), &["diff", "a.json", "b.json"]);
    assert_eq!(found.code(), 1, "{found:?}");
    for word in
        ["adds     x86_64  write: SCMP_ACT_ERRNO 38 -> SCMP_ACT_ALLOW", "drops    x86_64  socket", "0x1"]
    {
        assert!(found.stdout.contains(word), "{word}: {}", found.stdout);
    }
    let report = json(&verb(folder.path(), &["diff", "a.json", "b.json", "--json"]));
    assert_eq!(report["changes"].as_array().expect("changes").len(), 2, "{report}");
    assert_eq!(report["environment"]["machine"], "x86_64");
    let same = verb(folder.path(), &["diff", "a.json", "a.json"]).success();
    assert_eq!(same.stdout, "");
}

/// Profiles differ for one container and not for another, so the verb says for which it looked.
#[test]
fn capabilities_decide_what_differs() {
    let folder = files(&[("a", READ), ("b", &format!("{READ},{MOUNT}"))]);
    let diff = |caps| verb(folder.path(), &["diff", "a.json", "b.json", "--caps", caps]);
    let found = diff("none").success();
    assert!(found.stderr.contains("capabilities none"), "{}", found.stderr);
    let found = diff("sys_admin");
    assert_eq!(found.code(), 1);
    assert!(found.stdout.contains("mount") && found.stderr.contains("CAP_SYS_ADMIN"), "{found:?}");
}

#[test]
fn a_subset_is_0_another_profile_1_with_the_call_that_shows_it() {
    let folder = files(&[("a", SOCKET), ("b", r#"{"names": ["socket"], "action": "SCMP_ACT_ALLOW"}"#)]);
    let _ = verb(folder.path(), &["subset", "a.json", "b.json"]).success();
    let found = verb(folder.path(), &["subset", "b.json", "a.json"]);
    assert_eq!(found.code(), 1, "{found:?}");
    assert!(found.stdout.contains("socket of x86_64"), "{}", found.stdout);
    let report = json(&verb(folder.path(), &["subset", "b.json", "a.json", "--json"]));
    assert_eq!(report["subset"], false);
    let case = &report["counterexamples"][0];
    assert_ne!(case["args"][0], 1, "the one family that both allow is no example: {report}");
}

#[test]
fn profiles_that_deny_differently_are_a_conflict_where_that_is_wanted() {
    let kill = r#"{"names": ["mount"], "action": "SCMP_ACT_KILL_PROCESS"}"#;
    let folder = files(&[("a", READ), ("b", kill)]);
    let found =
        verb(folder.path(), &["merge", "--on-conflict", "error", "a.json", "b.json", "-o", "out.json"]);
    assert_eq!(found.code(), 2, "{found:?}");
    assert!(found.stderr.contains("disagree on mount"), "{}", found.stderr);
    assert!(!folder.path().join("out.json").exists());
    let _ = verb(folder.path(), &["merge", "a.json", "b.json", "-o", "out.json"]).success();
}

#[test]
fn trouble_is_2_and_names_the_file() {
    let folder = files(&[("a", READ)]);
    fs::write(folder.path().join("bad.json"), "{\"defaultAction\": 1}").expect("a file of ours");
    let recording = r#"{"seccomp_trace_recording": 1, "runs": {}, "syscalls": []}"#;
    fs::write(folder.path().join("r.json"), recording).expect("a file of ours");
    for (words, named) in [
        (&["merge", "a.json", "bad.json"][..], &["bad.json", "defaultAction"][..]),
        (&["diff", "a.json", "r.json"], &["r.json", "recording", "generate"]),
        (&["subset", "missing.json", "a.json"], &["missing.json"]),
        (&["merge", "a.json", "--json"], &["-o"]),
        (&["diff", "-", "-"], &["standard input"]),
    ] {
        let finished = verb(folder.path(), words);
        assert_eq!(finished.code(), 2, "{words:?}: {finished:?}");
        for word in named {
            assert!(finished.stderr.contains(word), "{words:?}: {word}: {}", finished.stderr);
        }
    }
}
