//! Containers that run out of memory, are frozen, or bomb: their profiles are complete when the engine returns.

use seccomp_trace_tests::podman::{of, options, traced};
use seccomp_trace_tests::{Podman, calls, full, read_recording, say, with_each_runtime, workload};

with_each_runtime!(
    a_container_that_runs_out_of_memory_gets_its_profile,
    a_container_that_is_removed_while_it_is_frozen_gets_its_profile,
    a_container_that_bombs_gets_its_profile,
);

/// The kernel kills a process of it, the shell tells, and then the container goes on.
fn a_container_that_runs_out_of_memory_gets_its_profile(runtime: &str) {
    let podman = Podman::new(runtime);
    let script = "/tracees/caller getpgid; tail /dev/zero; echo tail $?; /tracees/caller eventfd2; exit 3";
    let ran = podman.trace(&of(&podman.out("p.json")), &["--memory", "24m"], &["sh", "-c", script]);
    assert_eq!((ran.code(), ran.stdout.as_str()), (3, "tail 137\n"), "{ran:?}");
    assert!(podman.profile("p.json").workload_has(&["getpgid", "eventfd2"]));
    podman.left(&["p.json"]).nothing();
}

/// Whoever writes the profile must not wait for what cannot run.
fn a_container_that_is_removed_while_it_is_frozen_gets_its_profile(runtime: &str) {
    let podman = Podman::new(runtime);
    let script = "/tracees/caller getpgid; echo up; while true; do sleep 0.1; done";
    for frozen in [false, true] {
        let (name, file) = (format!("frozen-{frozen}"), format!("{frozen}.json"));
        podman.detach(&name, &["--annotation", &traced(&of(&podman.out(&file)))], &["sh", "-c", script]);
        podman.wait_for_line(&name, "up");
        drop(podman.podman(&["pause", &name]).success());
        if !frozen {
            drop(podman.podman(&["unpause", &name]).success());
            drop(podman.podman(&["exec", &name, "/tracees/caller", "eventfd2"]).success());
        }
        drop(podman.podman(&["rm", "-f", "-t", "0", &name]).success());
        let profile = podman.profile(&file);
        assert!(profile.workload_has(&["getpgid"]), "{profile:?}");
        assert_eq!(profile.workload_has(&["eventfd2"]), !frozen, "{profile:?}");
    }
    podman.left(&["false.json", "true.json"]).nothing();
}

/// Its limit of processes is reached again and again.
fn a_container_that_bombs_gets_its_profile(runtime: &str) {
    let podman = Podman::new(runtime);
    let (profile, recording) = (podman.out("p.json"), podman.out("r.json"));
    let option = options(&format!("recording={}", recording.display()));
    let rounds = if full() { "50" } else { "5" };
    let ran = podman
        .trace(&of(&profile), &["--pids-limit", "200", "--annotation", &option], &["/tracees/bomb", rounds])
        .success();
    let made: u64 = ran.stdout.trim().parse().expect("a number");
    assert!((500..20_000).contains(&made), "the limit was not there, or not reached: {made}");
    let recording = read_recording(&recording);
    let processes: u64 = recording.runs().values().map(|run| run.processes).sum();
    let losses = recording.losses();
    say(&format!("fork bomb in {runtime}: {made} processes, {processes} followed, {losses:?}"));
    assert!(processes == made + 1 || losses.storage_failures > 0, "{processes} of {made}: {losses:?}");
    assert!(workload(&recording).is_superset(&calls(["getpgid", "getsid"])));
    podman.left(&["p.json", "r.json"]).nothing();
}
