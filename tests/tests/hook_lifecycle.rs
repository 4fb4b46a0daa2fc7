//! What a traced container leaves when the engine returns: a complete profile, and nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use seccomp_trace_tests::podman::{Namespace, Settings, of, traced};
use seccomp_trace_tests::{Entry, Podman, with_each_runtime};
use serde_json::json;

with_each_runtime!(
    the_profile_is_complete_when_podman_run_returns,
    no_process_of_ours_exists_while_the_container_runs,
    the_profile_is_complete_when_stop_and_rm_return,
    pins_on_the_machines_bpf_file_system_are_removed,
    a_mount_namespace_of_its_own_is_no_obstacle,
    what_another_mount_namespace_stops_is_no_silent_loss,
    the_stage_create_runtime_is_accepted,
    a_command_that_cannot_be_executed_leaves_the_old_profile,
    nobody_has_to_listen_to_the_log,
);

/// What `ls` needs of a kernel, whatever busybox it is.
const LS: [&str; 3] = ["exit_group", "getdents64", "write"];

/// Has called what `ls` does when it prints `up`, and then waits.
const WAITS: [&str; 3] = ["sh", "-c", "ls /; echo up; exec sleep 1000"];

/// A profile that holds what `ls` was seen to call, and nothing that it has no use for.
fn complete(podman: &Podman, file: &str) {
    let profile = podman.profile(file);
    assert!(profile.workload_has(&LS), "{profile:?}");
    assert_eq!(profile.json["defaultAction"], "SCMP_ACT_ERRNO");
    assert_eq!(profile.json["defaultErrnoRet"], 38);
    let allowed = profile.allowed();
    // Always allowed, and never seen.
    assert!(["restart_syscall", "rt_sigreturn"].iter().all(|name| allowed.contains(*name)), "{allowed:?}");
    assert!(!["mkdir", "mount", "ptrace"].iter().any(|name| allowed.contains(*name)), "{allowed:?}");
}

/// Nothing waits here: `--rm` has removed the container, and the file must be there.
fn the_profile_is_complete_when_podman_run_returns(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("ls.json");
    let ran = podman.trace(&of(&file), &[], &["ls", "/"]).success();
    assert!(ran.stdout.contains("tracees\n"), "{ran:?}");
    complete(&podman, "ls.json");
    let mode = fs::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o644, "whoever runs the engine must be able to read it");
    podman.left(&["ls.json"]).nothing();
}

/// What records is in the kernel, kept by pins.
fn no_process_of_ours_exists_while_the_container_runs(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = traced(&of(&podman.out("up.json")));
    podman.detach("up", &["--annotation", &annotation], &WAITS);
    podman.wait_for_line("up", "up");
    let left = podman.left(&[]);
    assert!(left.processes.is_empty(), "{left:?}");
    assert!(left.state.is_some(), "nothing is recorded, so this test shows nothing: {left:?}");
    drop(podman.podman(&["stop", "-t", "0", "up"]).success());
    podman.left(&["up.json"]).nothing();
}

/// The engine's commands that end a container, each in its own way.
fn the_profile_is_complete_when_stop_and_rm_return(runtime: &str) {
    let podman = Podman::new(runtime);
    for end in [&["stop", "-t", "0"][..], &["rm", "-f", "-t", "0"]] {
        let name = format!("{}.json", end[0]);
        let annotation = traced(&of(&podman.out(&name)));
        podman.detach(end[0], &["--annotation", &annotation], &WAITS);
        podman.wait_for_line(end[0], "up");
        drop(podman.podman(&[end, &[end[0]]].concat()).success());
        complete(&podman, &name);
    }
    podman.left(&["stop.json", "rm.json"]).nothing();
}

/// A BPF file system is mounted on most machines, and belongs to others too.
fn pins_on_the_machines_bpf_file_system_are_removed(runtime: &str) {
    let podman = Podman::with(runtime, &Settings { bpffs: true, ..Settings::default() });
    let annotation = traced(&of(&podman.out("up.json")));
    podman.detach("up", &["--annotation", &annotation], &WAITS);
    podman.wait_for_line("up", "up");
    let left = podman.left(&[]);
    assert!(!left.pins.is_empty() && left.mounts.is_empty(), "the machine's own was not used: {left:?}");
    drop(podman.podman(&["stop", "-t", "0", "up"]).success());
    complete(&podman, "up.json");
    podman.left(&["up.json"]).nothing();
}

/// A service with a mount namespace of its own: what prestart mounts there, its poststop sees.
fn a_mount_namespace_of_its_own_is_no_obstacle(runtime: &str) {
    let podman = Podman::with(runtime, &Settings { namespace: Namespace::PerCommand, ..Settings::default() });
    drop(podman.trace(&of(&podman.out("ls.json")), &[], &["ls", "/"]).success());
    complete(&podman, "ls.json");
    podman.left(&["ls.json"]).nothing();
}

/// Poststop may run where prestart's pins cannot be seen. It then finds another way to them, or says that it has none.
fn what_another_mount_namespace_stops_is_no_silent_loss(runtime: &str) {
    let podman = Podman::with(runtime, &Settings { namespace: Namespace::PerCommand, ..Settings::default() });
    let file = podman.out("up.json");
    podman.detach("up", &["--annotation", &traced(&of(&file))], &WAITS);
    podman.wait_for_line("up", "up");
    drop(podman.podman(&["stop", "-t", "0", "up"]).success());
    if file.exists() {
        complete(&podman, "up.json");
    } else {
        let entries = podman.log().entries();
        assert!(entries.iter().any(|entry| entry.priority <= Entry::ERR), "a silent loss: {entries:?}");
    }
}

/// The stage that took prestart's place in the runtime specification.
fn the_stage_create_runtime_is_accepted(runtime: &str) {
    let mut settings = Settings::default();
    settings.hook_files[0]["stages"] = json!(["createRuntime", "poststop"]);
    let podman = Podman::with(runtime, &settings);
    drop(podman.trace(&of(&podman.out("ls.json")), &[], &["ls", "/"]).success());
    complete(&podman, "ls.json");
    podman.left(&["ls.json"]).nothing();
}

/// The runtime has called the hook by then, and nothing was observed that could be a profile.
fn a_command_that_cannot_be_executed_leaves_the_old_profile(runtime: &str) {
    let podman = Podman::new(runtime);
    let (old, new) = (podman.out("old.json"), podman.out("new.json"));
    fs::write(&old, "the old one").expect("a file in a folder of ours");
    for file in [&old, &new] {
        let ran = podman.trace(&of(file), &[], &["/no/such/command"]);
        assert_eq!(ran.code(), 127, "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&old).expect("the old file"), "the old one");
    assert!(!new.exists());
    // Not every runtime calls poststop for a container that it could not create.
    let cleaned = podman.cleanup().success();
    let said = [podman.said().join("\n"), cleaned.stderr].concat();
    assert_eq!(said.matches("no profile was written").count(), 2, "{said}");
    podman.left(&["old.json"]).nothing();
}

/// A missing `/dev/log` is no reason to keep a container from starting.
fn nobody_has_to_listen_to_the_log(runtime: &str) {
    let podman = Podman::with(runtime, &Settings { log: false, ..Settings::default() });
    drop(podman.trace(&of(&podman.out("ls.json")), &[], &["ls", "/"]).success());
    complete(&podman, "ls.json");
    podman.left(&["ls.json"]).nothing();
}
