//! Rules that look at arguments: what they deny is told by the arguments, and `--update` allows these and no others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use seccomp_trace_tests::{
    ProfileFile, Verified, finish, privileged, scratch, seccomp_trace, tracee, verify, verify_with,
};
use serde_json::{Value, json};

/// A profile of the sockets tracee that allows what the tracee was recorded with: `socket` of `AF_UNIX` (1).
fn sockets(folder: &Path) -> PathBuf {
    let profile = folder.join("sockets.json");
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "-o"]).arg(&profile);
    let _ = finish(run.args(["--", "sh", "-c", &script("1 1")])).success();
    assert!(fs::read_to_string(&profile).expect("a profile").contains("socket(AF_UNIX)"));
    profile
}

/// Standard output is the report's.
fn script(families: &str) -> String {
    format!("exec {} {families} >&2", tracee("sockets"))
}

fn opened(found: &Verified) -> Vec<String> {
    found.finished.stderr.lines().filter(|line| line.ends_with(" 0")).map(str::to_owned).collect()
}

/// The first arguments of the only denied call.
fn first_arguments(found: &Verified) -> BTreeSet<(String, u64)> {
    let list = found.json["denied"].as_array().expect("a list");
    assert_eq!(list.len(), 1, "{found:#?}");
    let arguments = list[0]["arguments"].as_array().expect("arguments");
    let text = |value: &Value| value["values"][0].as_str().expect("a value").to_owned();
    arguments.iter().map(|one| (text(one), one["count"].as_u64().expect("a count"))).collect()
}

/// In `--log-only` a call that is allowed for some arguments only runs for all: which would be denied is told by the
/// filter, from the arguments that it tests.
#[test]
fn a_call_is_judged_by_its_arguments() {
    privileged!();
    let folder = scratch();
    let profile = sockets(folder.path());
    // AF_INET is 2, AF_INET6 10, AF_ALG 38.
    let command = ["sh", "-c", &script("1 2 1 2 10 1")];
    for (options, opens) in [(&[][..], 3), (&["--log-only"], 6)] {
        let found = verify_with(&profile, options, &command);
        assert_eq!(
            first_arguments(&found),
            BTreeSet::from([("0x2".into(), 2), ("0xa".into(), 1)]),
            "{options:?}"
        );
        assert_eq!(found.json["denied"][0]["count"], 3, "{options:?}");
        assert_eq!(found.json["denied"][0]["ruling"]["by"], "conditions", "{options:?}: {found:#?}");
        assert_eq!(opened(&found).len(), opens, "{options:?}: {found:#?}");
    }
}

/// More different arguments than are kept of a call: they are counted, and said to be.
#[test]
fn arguments_that_find_no_room_are_counted() {
    privileged!();
    let folder = scratch();
    let profile = sockets(folder.path());
    let families: Vec<String> = (100..200).map(|family| family.to_string()).collect();
    let command = ["sh", "-c", &script(&families.join(" "))];
    let found = verify(&profile, &command);
    let entry = &found.json["denied"][0];
    assert_eq!(
        (&entry["count"], entry["arguments"].as_array().map(Vec::len)),
        (&json!(100), Some(32)),
        "{found:#?}"
    );
    assert_eq!(entry["other_arguments"], 68);
    // What the filter tests is kept in full, since it decides.
    let found = verify_with(&profile, &["--log-only"], &command);
    let entry = &found.json["denied"][0];
    assert_eq!(
        (&entry["count"], entry["arguments"].as_array().map(Vec::len)),
        (&json!(100), Some(100)),
        "{found:#?}"
    );
    let families: Vec<String> = (100..1300).map(|family| family.to_string()).collect();
    let found = verify_with(&profile, &["--log-only"], &["sh", "-c", &script(&families.join(" "))]);
    let undecided = &found.json["undecided"][0];
    let judged = found.json["denied"][0]["count"].as_u64().expect("a count");
    assert_eq!((&undecided["syscall"], judged), (&json!("socket"), 1024), "{found:#?}");
    assert_eq!(undecided["count"], 1200 - 1024, "{found:#?}");
}

/// What was made of a profile allows the command, and is no wider than it must be.
#[test]
fn update_allows_what_was_denied_with_those_arguments() {
    privileged!();
    let folder = scratch();
    let profile = sockets(folder.path());
    let before = ProfileFile::read(&profile);
    let update = folder.path().join("update.json");
    let update_text = update.to_str().expect("a path in UTF-8");
    for options in [&[][..], &["--log-only"]] {
        let command = ["sh", "-c", &script("1 2")];
        let all = [options, &["--update", update_text]].concat();
        assert_eq!(verify_with(&profile, &all, &command).finished.code(), 1, "{options:?}");
        let after = ProfileFile::read(&update);
        assert_eq!(after.json["defaultAction"], before.json["defaultAction"]);
        assert_eq!(after.rules()[..before.rules().len()], *before.rules(), "what was there is as it was");
        let found = verify(&update, &command);
        found.assert_nothing("the updated profile");
        assert_eq!(opened(&found).len(), 2, "{options:?}");
        // AF_INET6 was never asked for.
        let found = verify(&update, &["sh", "-c", &script("1 2 10")]);
        assert_eq!(first_arguments(&found), BTreeSet::from([("0xa".into(), 1)]), "{options:?}");
    }
}

/// A name that a rule denies is not allowed by one more rule, since the first counts; and the default stays what it was.
#[test]
fn update_takes_names_out_of_rules_that_deny_them() {
    privileged!();
    let folder = scratch();
    let (profile, update) = (folder.path().join("profile.json"), folder.path().join("update.json"));
    let text = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["getsid", "msync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
        {"names": ["swapon"], "action": "SCMP_ACT_KILL_PROCESS"}]});
    fs::write(&profile, text.to_string()).expect("a file in a folder of ours");
    let caller = tracee("caller");
    let command = [caller.as_str(), "getsid", "eventfd2"];
    let found = verify_with(&profile, &["--update", update.to_str().expect("a path in UTF-8")], &command);
    assert_eq!(found.json["denied"][0]["ruling"], json!({"by": "rules", "rules": [0]}), "{found:#?}");
    assert!(found.finished.stderr.contains("taken out of rules that deny them: getsid"), "{found:#?}");
    verify(&update, &command).assert_nothing("the updated profile");
    let found = verify(&update, &[&caller, "msync", "getsid"]);
    let denied: Vec<String> = found.denied().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(denied, ["msync"], "{found:#?}");
    assert_eq!(ProfileFile::read(&update).json["defaultAction"], "SCMP_ACT_ALLOW");
}

/// An architecture that the profile did not cover is covered then, or the call would still be killed.
#[test]
#[cfg(target_arch = "x86_64")]
fn update_covers_the_architecture_of_a_denied_call() {
    privileged!();
    if !seccomp_trace_tests::runs_32_bit() {
        return seccomp_trace_tests::say("left out: this kernel runs no 32-bit code");
    }
    let folder = scratch();
    let (profile, update) = (folder.path().join("profile.json"), folder.path().join("update.json"));
    let int80 = tracee("int80");
    let mut run = Command::new(seccomp_trace());
    let _ = finish(run.args(["run", "-q", "-o"]).arg(&profile).args(["--", &int80])).success();
    let mut json = ProfileFile::read(&profile).json;
    json["architectures"] = json!(["SCMP_ARCH_X86_64"]);
    fs::write(&profile, json.to_string()).expect("a file in a folder of ours");
    let options = ["--log-only", "--update", update.to_str().expect("a path in UTF-8")];
    assert_eq!(verify_with(&profile, &options, &[&int80]).finished.code(), 1);
    verify(&update, &[&int80]).assert_nothing("the updated profile");
}
