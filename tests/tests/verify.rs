//! `verify` names what a profile denies, whatever the profile does with it, and nothing else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use seccomp_trace_tests::{
    Denied, ProfileFile, Verified, finish, harmless, privileged, scratch, seccomp_trace, tracee, verify,
    verify_with,
};
use serde_json::{Value, json};

/// The actions that keep a call from being executed, or report it, and how the tracee ends by each: `None`: with 0.
const ACTIONS: [(&str, Option<i32>); 5] = [
    ("SCMP_ACT_ERRNO", None),
    ("SCMP_ACT_LOG", None),
    ("SCMP_ACT_TRAP", Some(SIGSYS)),
    ("SCMP_ACT_KILL_THREAD", Some(SIGSYS)),
    ("SCMP_ACT_KILL_PROCESS", Some(SIGSYS)),
];
const SIGSYS: i32 = 31;
const ENOSYS: u64 = 38;

fn record(folder: &Path, command: &[&str]) -> PathBuf {
    let profile = folder.join("profile.json");
    let mut run = Command::new(seccomp_trace());
    let _ = finish(run.args(["run", "-q", "-o"]).arg(&profile).arg("--").args(command)).success();
    profile
}

/// The profile without a name, and with another default action.
fn without(profile: &Path, name: &str, action: &str) -> PathBuf {
    let changed = profile.with_file_name(format!("{action}-without-{name}.json"));
    ProfileFile::read(profile).write_without(name, &changed);
    let mut json = ProfileFile::read(&changed).json;
    json["defaultAction"] = json!(action);
    if action != "SCMP_ACT_ERRNO" {
        json.as_object_mut().expect("an object").remove("defaultErrnoRet");
    }
    std::fs::write(&changed, json.to_string()).expect("a file in a folder of ours");
    changed
}

/// What threads that race for a lock or for memory call in one run and not in the next.
const RACES: [&str; 6] = ["futex", "madvise", "mmap", "mprotect", "munmap", "sched_yield"];

/// One native call, so often.
fn one(name: &str, count: u64) -> BTreeSet<Denied> {
    BTreeSet::from([(name.to_owned(), std::env::consts::ARCH.to_owned(), count)])
}

/// The issue of it all: a call that is missing in a profile is found by running the command once, and it alone.
#[test]
fn each_action_names_exactly_the_call_that_was_taken_out() {
    privileged!();
    let folder = scratch();
    let caller = tracee("caller");
    let command = [caller.as_str(), "getitimer", "eventfd2", "msync"];
    let profile = record(folder.path(), &command);
    verify(&profile, &command).assert_nothing("the whole profile");
    for (action, signal) in ACTIONS {
        let profile = without(&profile, "eventfd2", action);
        let found = verify(&profile, &command);
        assert_eq!(found.denied(), one("eventfd2", 1), "{action}: {found:#?}");
        assert_eq!(found.finished.code(), 1, "{action}");
        let entry = &found.json["denied"][0];
        let verdict = entry["verdict"].as_str().expect("a verdict");
        assert!(verdict.starts_with(action), "{entry}");
        assert_eq!(entry["ruling"], json!({"by": "default"}), "{action}");
        assert_eq!(entry["cause"], "profile", "{action}");
        assert_eq!(entry["first"]["comm"], "caller", "{action}");
        // As tracees/harmless.h makes it.
        assert_eq!(entry["arguments"][0]["values"][0], format!("{:#x}", u64::MAX), "{action}");
        let status = verify_with(&profile, &["--status"], &command).finished.status;
        let expected = (signal.is_none().then_some(0), signal);
        let ended = (status.code(), std::os::unix::process::ExitStatusExt::signal(&status));
        assert_eq!(ended, expected, "{action}: --status is the command's own");
    }
}

/// The kernel ends that thread alone, inside the filter: it never leaves the call, and the process goes on.
#[test]
fn a_thread_that_is_killed_among_others_is_seen() {
    privileged!();
    let folder = scratch();
    // Standard output is the report's.
    let script = format!("exec {} >&2", tracee("threads"));
    let command = ["sh", "-c", script.as_str()];
    let profile = allowing(&record(folder.path(), &command), &RACES);
    for name in ["getsid", "semop"] {
        for (action, _) in
            ACTIONS.iter().filter(|(action, _)| !["SCMP_ACT_TRAP", "SCMP_ACT_KILL_PROCESS"].contains(action))
        {
            let found = verify(&without(&profile, name, action), &command);
            assert_eq!(found.denied(), one(name, 1), "{action}: {found:#?}");
            let names: Vec<&str> =
                found.finished.stderr.lines().filter(|line| harmless().contains(line)).collect();
            assert_eq!(names, harmless(), "{action}: the other threads live on");
        }
    }
}

/// Each of these ends calls in unusual ways, or does not end them.
#[test]
fn what_is_only_disturbed_is_not_denied() {
    privileged!();
    let commands: [&[&str]; 5] = [
        &[&tracee("disturbed")],
        &[&tracee("exec_thread")],
        &[&tracee("vfork")],
        &[&tracee("daemon")],
        &["sh", "-c", "id | cat >/dev/null; sleep 0.3 & wait"],
    ];
    for command in commands {
        let folder = scratch();
        let profile = allowing(&record(folder.path(), command), &RACES);
        for options in [&[][..], &["--log-only"]] {
            let (found, what) = (verify_with(&profile, options, command), format!("{options:?} {command:?}"));
            found.assert_nothing(&what);
            assert_eq!(found.not_executed(), BTreeSet::new(), "{what}: {found:#?}");
        }
    }
}

/// A profile allows what a program then forbids itself (browsers and sandboxes do so): it is not to blame.
#[test]
fn what_the_programs_own_filter_denies_is_not_the_profiles_doing() {
    privileged!();
    let folder = scratch();
    let filters = tracee("filters");
    let command = [filters.as_str(), "own"];
    let profile = record(folder.path(), &command);
    // Nobody could record it, so the profile denies it as well, with another errno.
    let found = verify(&profile, &command);
    found.assert_nothing("denied by both");
    let program =
        |cause: &str| one("getsid", 1).into_iter().map(|denied| (cause.to_owned(), denied)).collect();
    assert_eq!(found.not_executed(), program("program"), "{found:#?}");
    let allowed = allowing(&profile, &["getsid"]);
    let found = verify(&allowed, &command);
    found.assert_nothing("denied by the program alone");
    assert_eq!(found.not_executed(), program("program"), "{found:#?}");
    let found = verify(&without(&allowed, "getpgid", "SCMP_ACT_ERRNO"), &command);
    assert_eq!(found.denied(), one("getpgid", 1), "under two filters: {found:#?}");

    let command = [filters.as_str(), "supervised"];
    let profile = allowing(&record(folder.path(), &command), &["getsid"]);
    let found = verify(&profile, &command);
    found.assert_nothing("answered by the program's supervisor");
    assert_eq!(found.not_executed(), program("program"), "{found:#?}");
}

/// In a container the command is under the container's filter as well: that is neither the profile's nor the program's.
#[test]
fn what_a_filter_from_before_denies_is_neither_the_profiles_nor_the_programs_doing() {
    privileged!();
    let folder = scratch();
    let outer = folder.path().join("outer.json");
    let text = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["getsid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]});
    std::fs::write(&outer, text.to_string()).expect("a file in a folder of ours");
    let caller = tracee("caller");
    let profile = record(folder.path(), &[&caller, "getsid"]);
    let mut under = Command::new(env!("CARGO_BIN_EXE_under"));
    under.arg(&outer).arg(seccomp_trace()).args(["verify", "--json", "--profile"]).arg(&profile);
    let found = Verified::of(finish(under.args(["--", &caller, "getsid"])));
    found.assert_nothing("the profile allows it");
    let elsewhere = one("getsid", 1).into_iter().map(|denied| ("elsewhere".to_owned(), denied)).collect();
    assert_eq!(found.not_executed(), elsewhere, "{found:#?}");
}

/// The profile with more names.
fn allowing(profile: &Path, names: &[&str]) -> PathBuf {
    let mut json = ProfileFile::read(profile).json;
    let rules = json["syscalls"].as_array_mut().expect("rules");
    rules.push(json!({"names": names, "action": "SCMP_ACT_ALLOW"}));
    let changed = profile.with_file_name(format!("allowing-{}.json", names[0]));
    std::fs::write(&changed, json.to_string()).expect("a file in a folder of ours");
    changed
}

/// A tracer that skips or answers a call leaves the same trace as a filter that denies it.
#[test]
#[cfg(target_arch = "x86_64")]
fn what_a_tracer_does_to_a_call_is_not_the_profiles_doing() {
    privileged!();
    let traced = tracee("traced");
    for (mode, skipped) in
        [("emulated", Some("getsid")), ("skipped", Some("syscall_-1")), ("changed", None), ("killed", None)]
    {
        let folder = scratch();
        let command = [traced.as_str(), mode];
        let profile = record(folder.path(), &command);
        let found = verify(&profile, &command);
        found.assert_nothing(mode);
        let expected = skipped.map(|name| ("tracer".to_owned(), one(name, 1).pop_first().expect("one")));
        assert_eq!(found.not_executed(), BTreeSet::from_iter(expected), "{mode}: {found:#?}");
    }
}

/// Under strace a denied call is denied all the same, and strace itself is no denial.
#[test]
fn a_traced_program_is_denied_what_it_is_denied() {
    privileged!();
    let folder = scratch();
    let caller = tracee("caller");
    let command = ["strace", "-f", "-o", "/dev/null", &caller, "getsid", "msync"];
    // strace tries out what the kernel can do on a child that it kills when it likes.
    let profile = allowing(&record(folder.path(), &command), &["pause"]);
    verify(&profile, &command).assert_nothing("strace");
    let found = verify(&without(&profile, "getsid", "SCMP_ACT_ERRNO"), &command);
    assert_eq!(found.denied(), one("getsid", 1), "{found:#?}");
    assert_eq!(found.json["denied"][0]["traced"], true, "a tracer could have done it");
}

/// A runtime could not start such a container; what it needs has to be said like any other call.
#[test]
fn a_profile_without_execve_denies_the_start() {
    privileged!();
    let folder = scratch();
    let profile = record(folder.path(), &["true"]);
    for (action, _) in ACTIONS {
        for options in [&[][..], &["--log-only"]] {
            let found = verify_with(&without(&profile, "execve", action), options, &["true"]);
            let (name, _, count) = found.denied().pop_first().expect("a denial");
            assert_eq!(
                (name.as_str(), found.denied().len()),
                ("execve", 1),
                "{action} {options:?}: {found:#?}"
            );
            assert!(count > 0);
            assert_eq!(found.finished.code(), 1, "{action} {options:?}: {found:#?}");
        }
    }
}

/// Numbers that no table has, and calls of an ABI that the profile does not cover, are denied as what they are.
#[test]
fn unnamed_numbers_are_denied_as_such() {
    privileged!();
    let folder = scratch();
    let badnr = tracee("badnr");
    let profile = record(folder.path(), &[&badnr]);
    for options in [&[][..], &["--log-only"]] {
        let found = verify_with(&profile, options, &[&badnr]);
        let numbers: BTreeSet<i64> = found.json["denied"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|entry| entry["nr"].as_i64())
            .collect();
        assert_eq!(numbers, BTreeSet::from([-1, 511, 9999, 0x0fff_ffff]), "{options:?}: {found:#?}");
        assert!(
            found.json["denied"]
                .as_array()
                .expect("a list")
                .iter()
                .all(|entry| entry["ruling"]["by"] == "number")
        );
    }
    assert_eq!(verify(&profile, &[&badnr]).json["denied"][0]["verdict"], format!("SCMP_ACT_ERRNO {ENOSYS}"));
}

/// A number means another call in another ABI, and a profile may cover one of them only.
#[test]
#[cfg(target_arch = "x86_64")]
fn calls_of_an_architecture_that_is_not_covered_are_denied_by_that() {
    privileged!();
    if !seccomp_trace_tests::runs_32_bit() {
        return seccomp_trace_tests::say("left out: this kernel runs no 32-bit code");
    }
    let folder = scratch();
    let int80 = tracee("int80");
    let profile = record(folder.path(), &[&int80]);
    verify(&profile, &[&int80]).assert_nothing("both architectures");
    let mut json = ProfileFile::read(&profile).json;
    json["architectures"] = json!(["SCMP_ARCH_X86_64"]);
    std::fs::write(&profile, json.to_string()).expect("a file in a folder of ours");
    for options in [&[][..], &["--log-only"]] {
        let found = verify_with(&profile, options, &[&int80]);
        assert_eq!(
            found.denied(),
            BTreeSet::from([("getpid".to_owned(), "x86".to_owned(), 1)]),
            "{found:#?}"
        );
        assert_eq!(found.json["denied"][0]["ruling"], json!({"by": "architecture"}));
    }
}

/// Without a profile nothing is forbidden that the command would not be forbidden anyway.
#[test]
fn log_only_denies_nothing_and_finds_the_same() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("made");
    let script = format!("mkdir {}", file.display());
    let profile = record(folder.path(), &["true"]);
    let found = verify_with(&profile, &["--log-only"], &["sh", "-c", &script]);
    assert!(file.is_dir(), "the command was denied something: {found:#?}");
    assert!(found.denied().iter().any(|(name, ..)| name == "mkdir"), "{found:#?}");
    let mkdir: Vec<&Value> = found.json["denied"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|entry| entry["syscall"] == "mkdir")
        .collect();
    assert_eq!(mkdir[0]["answer"], "executed");
    assert_eq!(mkdir[0]["arguments"][0]["values"][1], "0x1ff", "{found:#?}");
}
