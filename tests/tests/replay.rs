//! A command works under the profile that was made from it, and not without any part of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::{
    Finished, Running, finish, privileged, runs_32_bit, scratch, seccomp_trace, tracee, wait_until,
};
use serde_json::Value;

fn record(folder: &Path, options: &[&str], command: &[&str]) -> PathBuf {
    let profile = folder.join("profile.json");
    let mut run = Command::new(seccomp_trace());
    run.current_dir(folder).args(["run", "-q", "-o"]).arg(&profile).args(options).arg("--").args(command);
    let _ = finish(&mut run).success();
    profile
}

fn under(profile: &Path, command: &[&str]) -> Command {
    let mut under = Command::new(env!("CARGO_BIN_EXE_under"));
    under.arg(profile).args(command).current_dir(profile.parent().expect("in a folder"));
    under
}

fn replay(profile: &Path, command: &[&str]) -> Finished {
    finish(&mut under(profile, command))
}

fn read(profile: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(profile).expect("a profile")).expect("JSON")
}

/// The profile without one name.
fn without(profile: &Path, name: &str) -> PathBuf {
    let mut json = read(profile);
    let mut removed = 0;
    for rule in json["syscalls"].as_array_mut().expect("rules") {
        let names = rule["names"].as_array_mut().expect("names");
        let before = names.len();
        names.retain(|other| other != name);
        removed += before - names.len();
    }
    assert_eq!(removed, 1, "{name} stands in the profile once");
    let path = profile.with_file_name(format!("without-{name}.json"));
    std::fs::write(&path, json.to_string()).expect("a file in a folder of ours");
    path
}

/// Commands that make the same calls each time: a profile holds what was seen, and what threads that race for a lock or
/// for memory call is another set from run to run.
#[test]
fn commands_work_under_their_own_profile_with_and_without_a_baseline() {
    privileged!();
    let exec_thread = tracee("exec_thread");
    let vfork = tracee("vfork");
    let commands: [&[&str]; 6] = [
        &["ls", "-la", "/"],
        &["sh", "-c", "id | cat; sleep 0.3 & wait; exec echo done"],
        &["tar", "cf", "/dev/null", "/etc/passwd"],
        &["python3", "-c", "import subprocess; subprocess.run(['true'], check=True)"],
        &[&exec_thread],
        &[&vfork],
    ];
    for command in commands {
        for runtime in ["none", "any"] {
            let folder = scratch();
            let profile = record(folder.path(), &["--for", runtime], command);
            let _ = replay(&profile, command).success();
        }
    }
}

/// A profile that allowed everything would pass the test above.
#[test]
fn without_one_of_its_names_a_command_fails() {
    privileged!();
    let folder = scratch();
    let command = ["ls", "-la", "/"];
    let profile = record(folder.path(), &[], &command);
    for name in ["mmap", "getdents64", "openat", "write"] {
        let finished = replay(&without(&profile, name), &command);
        assert!(!finished.status.success(), "ls works without {name}");
    }
    let finished = replay(&profile, &["mkdir", "new"]);
    assert!(!finished.status.success() && !folder.path().join("new").exists(), "mkdir was never recorded");
}

/// Stopped and continued, a sleep comes back through `restart_syscall`, which no recording of an undisturbed run has.
#[test]
fn a_sleep_survives_stop_and_continue_under_its_profile() {
    privileged!();
    for call in ["nanosleep", "clock_nanosleep", "poll"] {
        let folder = scratch();
        let sleeper = tracee("sleeper");
        let command = [sleeper.as_str(), call, "300"];
        let profile = record(folder.path(), &["--for", "none"], &command);
        let stop_and_continue = |profile: &Path| {
            let running = Running::start(&mut under(profile, &command));
            assert_eq!(running.line(), "ready");
            // It is asleep only a moment after it has said so.
            let state =
                || std::fs::read_to_string(format!("/proc/{}/stat", running.pid())).unwrap_or_default();
            wait_until("the sleep", || state().contains(") S "));
            running.signal(Signal::SIGSTOP);
            wait_until("the stop", || state().contains(") T "));
            running.signal(Signal::SIGCONT);
            running.wait()
        };
        let _ = stop_and_continue(&profile).success();
        let broken = without(&profile, "restart_syscall");
        assert!(!stop_and_continue(&broken).status.success(), "{call} does not need restart_syscall");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn i386_calls_work_under_their_profile_and_not_without_their_architecture() {
    privileged!();
    if !runs_32_bit() {
        eprintln!("left out: this kernel runs no 32-bit code");
        return;
    }
    let folder = scratch();
    let int80 = tracee("int80");
    let profile = record(folder.path(), &[], &[&int80]);
    let _ = replay(&profile, &[&int80]).success();
    let mut json = read(&profile);
    assert_eq!(json["architectures"], serde_json::json!(["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]));
    json["architectures"] = serde_json::json!(["SCMP_ARCH_X86_64"]);
    let native = profile.with_file_name("native.json");
    std::fs::write(&native, json.to_string()).expect("a file in a folder of ours");
    assert!(!replay(&native, &[&int80]).status.success());
}

/// What BASE blocks stays blocked, whatever was recorded; what it does not name is added.
#[test]
fn a_base_is_extended_and_never_loosened() {
    privileged!();
    let folder = scratch();
    let base = folder.path().join("base.json");
    let rules = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "x-note": "kept"}]}"#;
    std::fs::write(&base, rules).expect("a file in a folder of ours");
    let profile = record(folder.path(), &["-i", "base.json"], &["sh", "-c", "mkdir made; touch touched"]);
    let json = read(&profile);
    assert_eq!(json["defaultAction"], "SCMP_ACT_ERRNO");
    assert_eq!(json["syscalls"][0]["x-note"], "kept");
    std::fs::remove_dir(folder.path().join("made")).expect("the recording made it");
    std::fs::remove_file(folder.path().join("touched")).expect("the recording made it");
    let finished = replay(&profile, &["sh", "-c", "mkdir made; touch touched"]).success();
    assert!(finished.stderr.contains("Permission denied"), "EACCES is 13: {finished:?}");
    assert!(!folder.path().join("made").exists() && folder.path().join("touched").exists());
}

/// The default profiles of the engines work as BASE: their rules come back unchanged, and the result still runs.
#[test]
fn the_default_profiles_of_engines_are_extended_without_loss() {
    privileged!();
    let data = std::env::var_os("SECCOMP_TRACE_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let candidates = [
        PathBuf::from("/usr/share/containers/seccomp.json"),
        data.join("containers-common/seccomp.json"),
        data.join("moby/default.json"),
    ];
    let mut tried = 0;
    for base in candidates.iter().filter(|path| path.exists()) {
        tried += 1;
        let folder = scratch();
        let threads = tracee("threads");
        let profile = record(folder.path(), &["-i", &base.display().to_string()], &[&threads]);
        let (before, after) = (read(base), read(&profile));
        let rules = before["syscalls"].as_array().expect("rules");
        assert_eq!(
            &after["syscalls"].as_array().expect("rules")[..rules.len()],
            &rules[..],
            "{}",
            base.display()
        );
        for list in ["architectures", "archMap"] {
            assert_eq!(before[list].is_null(), after[list].is_null(), "{list} of {}", base.display());
        }
        let _ = replay(&profile, &["ls", "/"]).success();
    }
    if tried < candidates.len() {
        eprintln!("left out: {} default profiles of engines that are not here", candidates.len() - tried);
    }
}

#[test]
fn many_recordings_make_one_profile_that_runs_all_their_commands() {
    privileged!();
    let folder = scratch();
    let commands: [&[&str]; 2] = [&["ls", "/"], &["sh", "-c", "umask 077; kill -0 $$"]];
    let mut generate = Command::new(seccomp_trace());
    generate.current_dir(folder.path()).args(["generate", "-q", "-o", "both.json"]);
    for (number, command) in commands.iter().enumerate() {
        let name = format!("recording-{number}.json");
        record(folder.path(), &["--recording", &name], command);
        generate.arg(name);
    }
    let _ = finish(&mut generate).success();
    let both = folder.path().join("both.json");
    for command in commands {
        let _ = replay(&both, command).success();
    }
    // The last command's own profile again, from its recording: the same bytes.
    let again = ["generate", "recording-1.json"];
    let finished = finish(Command::new(seccomp_trace()).current_dir(folder.path()).args(again)).success();
    assert_eq!(
        finished.stdout,
        std::fs::read_to_string(folder.path().join("profile.json")).expect("a profile")
    );
}
