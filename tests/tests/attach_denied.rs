//! `attach --denied`: what is denied to processes and containers that run already, and what only looks like it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::podman::of;
use seccomp_trace_tests::{
    Denied, Podman, ProfileFile, Running, Verified, privileged, scratch, seccomp_trace, tracee,
    with_each_runtime,
};
use serde_json::json;

with_each_runtime!(what_a_container_is_denied_is_told_for_each_action);

const ACTIONS: [&str; 5] =
    ["SCMP_ACT_ERRNO", "SCMP_ACT_LOG", "SCMP_ACT_TRAP", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS"];

/// One native call.
fn one(name: &str) -> BTreeSet<Denied> {
    BTreeSet::from([(name.to_owned(), std::env::consts::ARCH.to_owned(), 1)])
}

/// A profile that allows all but these calls.
fn all_but(folder: &Path, names: &[&str], action: &str) -> PathBuf {
    let path = folder.join(format!("{action}.json"));
    let mut rule = json!({"names": names, "action": action});
    if action == "SCMP_ACT_ERRNO" {
        rule["errnoRet"] = json!(1);
    }
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
    std::fs::write(&path, profile.to_string()).expect("a file in a folder of ours");
    path
}

/// `attach --denied=json` of a process while `meanwhile` is done; then it must end by itself.
fn denied_to(pid: &str, options: &[&str], meanwhile: impl FnOnce()) -> Verified {
    let mut command = Command::new(seccomp_trace());
    let attach = Running::start(command.args(["attach", "--denied=json", "-p", pid]).args(options));
    attach.wait_for_error("attached");
    meanwhile();
    Verified::of(attach.wait())
}

fn under(profile: &Path, name: &str, arguments: &[&str]) -> Tracee {
    let mut under = Command::new(env!("CARGO_BIN_EXE_under"));
    Tracee::spawn(under.arg(profile).arg(tracee(name)).args(arguments))
}

/// A thread whose first call since `attach` is denied looks like one that was inside that call all the time. The profile
/// tells: what it denies cannot have been under way. A thread that dies of it was not either.
#[test]
fn the_first_call_of_a_thread_is_told_from_one_that_was_under_way() {
    privileged!();
    let folder = scratch();
    for (action, sure) in [("SCMP_ACT_ERRNO", false), ("SCMP_ACT_KILL_THREAD", true)] {
        let profile = all_but(folder.path(), &["getsid"], action);
        let options = ["--profile", profile.to_str().expect("UTF-8")];
        let mut spinner = under(&profile, "spinner", &["getsid", "msync"]);
        let found = denied_to(&spinner.pid(), &options, || spinner.go_on());
        assert_eq!(
            (found.denied(), &found.json["under_way"]),
            (one("getsid"), &json!(0)),
            "{action}: {found:#?}"
        );
        assert_eq!(found.json["denied"][0]["ruling"], json!({"by": "rules", "rules": [0]}), "{action}");
        assert_eq!(found.finished.code(), 1, "{action}");

        let mut spinner = under(&profile, "spinner", &["getsid", "msync"]);
        let found = denied_to(&spinner.pid(), &[], || spinner.go_on());
        let expected = if sure { (one("getsid"), 0) } else { (BTreeSet::new(), 1) };
        assert_eq!(
            (found.denied(), found.json["under_way"].as_u64().expect("a count")),
            expected,
            "{action}"
        );
        assert_eq!(found.finished.code(), i32::from(sure), "{action}");

        // The second call is in no doubt.
        let mut spinner = under(&profile, "spinner", &["msync", "getsid"]);
        let found = denied_to(&spinner.pid(), &[], || spinner.go_on());
        assert_eq!(found.denied(), one("getsid"), "{action}: {found:#?}");
        assert_eq!(found.json["denied"][0]["cause"], "filter", "{action}");
        // The other thread was inside a read all the time, which went well.
        assert_eq!(found.json["under_way"], 0, "{action}: {found:#?}");
    }
}

/// A hundred threads that make calls and other threads all the time, many of them in the middle of one.
#[test]
fn attaching_to_a_busy_process_invents_no_denial() {
    privileged!();
    let folder = scratch();
    let profile = all_but(folder.path(), &["swapon"], "SCMP_ACT_ERRNO");
    for options in [&["--profile", profile.to_str().expect("UTF-8")][..], &[]] {
        let mut swarm = under(&profile, "swarm", &["100"]);
        let found = denied_to(&swarm.pid(), options, || swarm.go_on());
        assert_eq!(found.denied(), BTreeSet::new(), "{options:?}: {found:#?}");
        assert_eq!(found.not_executed(), BTreeSet::new(), "{options:?}: {found:#?}");
        assert_eq!(found.finished.code(), 0, "{options:?}");
    }
}

/// A process without any filter is denied nothing, and its failed calls are none of ours.
#[test]
fn without_filters_nothing_is_denied() {
    privileged!();
    let mut spinner = Tracee::start("spinner", &["getsid", "msync"]);
    let found = denied_to(&spinner.pid(), &[], || spinner.go_on());
    found.assert_nothing("no filters");
}

/// The profile of a container with another default action and without a name.
fn without(profile: &Path, name: &str, action: &str) -> PathBuf {
    let changed = profile.with_file_name(format!("{action}.json"));
    ProfileFile::read(profile).write_without(name, &changed);
    let mut json = ProfileFile::read(&changed).json;
    json["defaultAction"] = json!(action);
    if action != "SCMP_ACT_ERRNO" {
        json.as_object_mut().expect("an object").remove("defaultErrnoRet");
    }
    std::fs::write(&changed, json.to_string()).expect("a file in a folder of ours");
    changed
}

/// The recorded profile without one name: the container starts and does its work but for that call.
fn what_a_container_is_denied_is_told_for_each_action(runtime: &str) {
    const SCRIPT: &str = "echo up; sleep 0.02; until test -e /gate/go; do sleep 0.02; done
        /tracees/caller getsid msync";
    let podman = Podman::new(runtime);
    let gate = podman.out("gate");
    std::fs::create_dir(&gate).expect("a folder in a folder of ours");
    let mount = format!("--volume={}:/gate", gate.display());
    std::fs::write(gate.join("go"), "").expect("a file in a folder of ours");
    let profile = podman.out("profile.json");
    drop(podman.trace(&of(&profile), &[&mount], &["sh", "-c", SCRIPT]).success());
    for action in ACTIONS {
        let profile = without(&profile, "msync", action);
        let name = action.trim_start_matches("SCMP_ACT_").to_lowercase();
        std::fs::remove_file(gate.join("go")).expect("it is there");
        let option = format!("seccomp={}", profile.display());
        podman.detach(&name, &[&mount, "--security-opt", &option], &["sh", "-c", SCRIPT]);
        podman.wait_for_line(&name, "up");
        let program = seccomp_trace();
        let mut command = podman.inside(program.to_str().expect("UTF-8"));
        command.args(["attach", "--denied=json", "--container", &name, "--profile"]).arg(&profile);
        let attach = Running::start(&mut command);
        attach.wait_for_error("attached");
        std::fs::write(gate.join("go"), "").expect("a file in a folder of ours");
        let found = Verified::of(attach.wait());
        assert_eq!(found.denied(), one("msync"), "{action}: {found:#?}");
        assert_eq!(found.finished.code(), 1, "{action}: {found:#?}");
        let entry = &found.json["denied"][0];
        assert_eq!(entry["first"]["comm"], "caller", "{action}");
        let executed = entry["answer"] == "executed";
        assert_eq!(executed, action == "SCMP_ACT_LOG", "{action}: {entry}");
    }
}
