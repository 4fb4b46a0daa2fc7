//! Upstream's hook file has no poststop stage: a process of ours waits for the container's end, and does that work.

use seccomp_trace_tests::hook::Left;
use seccomp_trace_tests::podman::{Settings, of, traced};
use seccomp_trace_tests::{Podman, wait_until, with_each_runtime};

with_each_runtime!(
    upstreams_hook_file_gives_a_profile,
    a_detached_container_is_started_without_waiting_for_the_watcher,
    a_container_without_a_poststop_is_recorded_to_its_end,
);

const LS: [&str; 3] = ["exit_group", "getdents64", "write"];

/// Waits for the watcher's end: nothing else tells that the profile is there, with a file that knows no poststop.
fn watcher_ends(podman: &Podman, expected: &[&str]) {
    wait_until("the end of the watcher", || podman.hook().processes().is_empty());
    assert_eq!(podman.left(expected), Left::default(), "the log: {:#?}", podman.said());
}

/// `podman run` does not wait for what no hook of its own does; the profile comes all the same, also with `--rm`.
fn upstreams_hook_file_gives_a_profile(runtime: &str) {
    let podman = Podman::with(runtime, &Settings::upstream());
    let ran = podman.trace(&of(&podman.out("ls.json")), &[], &["ls", "/"]).success();
    assert!(ran.stdout.contains("tracees\n"), "{ran:?}");
    watcher_ends(&podman, &["ls.json"]);
    assert!(podman.profile("ls.json").workload_has(&LS));
}

/// runc reads the hook's outputs to their end: the watcher must have let go of them, or no container would start.
fn a_detached_container_is_started_without_waiting_for_the_watcher(runtime: &str) {
    let podman = Podman::with(runtime, &Settings::upstream());
    let annotation = traced(&of(&podman.out("up.json")));
    podman.detach("up", &["--annotation", &annotation], &["sleep", "1000"]);
    assert!(!podman.hook().processes().is_empty(), "nobody watches; the log: {:#?}", podman.said());
    drop(podman.podman(&["rm", "-f", "-t", "0", "up"]).success());
    watcher_ends(&podman, &["up.json"]);
}

/// The watcher must not take the end of some process for the end of the container.
fn a_container_without_a_poststop_is_recorded_to_its_end(runtime: &str) {
    let podman = Podman::with(runtime, &Settings::upstream());
    let script = "ls /; /tracees/caller getpgid; /tracees/daemon; while pidof daemon; do sleep 0.01; done; exec /tracees/caller eventfd2";
    drop(podman.trace(&of(&podman.out("end.json")), &[], &["sh", "-c", script]).success());
    watcher_ends(&podman, &["end.json"]);
    let profile = podman.profile("end.json");
    assert!(profile.workload_has(&["getpgid", "timerfd_create", "eventfd2"]), "{profile:?}");
}
