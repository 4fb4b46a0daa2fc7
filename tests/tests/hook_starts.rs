//! A container starts under the profile that the hook wrote of it, lives under it, and can do no more than that.

use std::fs;

use seccomp_trace_tests::podman::{of, traced};
use seccomp_trace_tests::{Podman, full, with_each_runtime};

with_each_runtime!(
    a_container_starts_under_its_profile_every_time,
    exec_pause_and_stop_work_under_the_profile,
    a_call_that_was_not_recorded_is_denied,
    a_profile_without_one_recorded_call_is_too_small,
    a_profile_made_on_a_terminal_starts_the_container_on_one,
);

/// Go preempts by signal now and then: a profile that misses `rt_sigreturn` fails one start of runc in ten.
fn a_container_starts_under_its_profile_every_time(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("ls.json");
    drop(podman.trace(&of(&file), &[], &["ls", "/"]).success());
    let seccomp = format!("seccomp={}", file.display());
    let ways: [&[&str]; 4] = [
        &[],
        &["--security-opt", "no-new-privileges"],
        &["-t"],
        &["-t", "--security-opt", "no-new-privileges"],
    ];
    for round in 0..if full() { 100 } else { 10 } {
        let options = ways[round % ways.len()];
        let ran = podman.run(&[&["--security-opt", &seccomp], options].concat(), &["ls", "/"]);
        assert!(
            ran.status.success() && ran.stdout.contains("tracees"),
            "start {round}, {options:?}: {ran:?}"
        );
    }
}

/// Ends with 7 when it is asked to stop, and with another status when it is killed.
const SERVICE: &str =
    "trap 'echo stopping; exit 7' TERM; ls /; sleep 0.01; echo up; while true; do sleep 0.1; done";

/// What the engine does to a container while it runs, and to its own processes that enter it.
fn exec_pause_and_stop_work_under_the_profile(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("service.json");
    let serve = |name: &str, option: &str, value: &str| {
        podman.detach(name, &[option, value], &["sh", "-c", SERVICE]);
        podman.wait_for_line(name, "up");
    };
    let stop = |name: &str| {
        drop(podman.podman(&["stop", "-t", "120", name]).success());
        let ended = podman.podman(&["wait", name]).success();
        assert_eq!(ended.stdout.trim(), "7", "{name} was not stopped by its own handler");
    };
    serve("recorded", "--annotation", &traced(&of(&file)));
    stop("recorded");

    serve("confined", "--security-opt", &format!("seccomp={}", file.display()));
    let confined =
        fs::read_to_string(format!("/proc/{}/status", podman.pid_of("confined"))).expect("a process");
    assert!(confined.contains("\nSeccomp:\t2\n"), "nothing confines it: {confined}");
    for _ in 0..if full() { 20 } else { 3 } {
        let listed = podman.podman(&["exec", "confined", "ls", "/"]).success();
        assert!(listed.stdout.contains("tracees\n"), "{listed:?}");
        drop(podman.podman(&["pause", "confined"]).success());
        drop(podman.podman(&["unpause", "confined"]).success());
    }
    let denied = podman.podman(&["exec", "confined", "mkdir", "/tmp/new"]);
    assert!(!denied.status.success(), "exec gets round the profile: {denied:?}");
    stop("confined");
}

/// A profile that allows everything would start every container.
fn a_call_that_was_not_recorded_is_denied(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("ls.json");
    drop(podman.trace(&of(&file), &[], &["ls", "/"]).success());
    let seccomp = format!("seccomp={}", file.display());
    let denied = podman.run(&["--security-opt", &seccomp], &["mkdir", "/tmp/new"]);
    assert_eq!(denied.code(), 1, "{denied:?}");
    assert!(denied.stderr.contains("Function not implemented"), "ENOSYS from mkdir: {denied:?}");
}

/// The names in the profile are what the container needs: without any one that `ls` cannot do without, it fails.
fn a_profile_without_one_recorded_call_is_too_small(runtime: &str) {
    let podman = Podman::new(runtime);
    drop(podman.trace(&of(&podman.out("ls.json")), &[], &["ls", "/"]).success());
    let profile = podman.profile("ls.json");
    let less = podman.path("less.json");
    let seccomp = format!("seccomp={}", less.display());
    for name in ["getdents64", "execve"] {
        assert!(profile.allowed().contains(name), "{profile:?}");
        profile.write_without(name, &less);
        let ran = podman.run(&["--security-opt", &seccomp], &["ls", "/"]);
        assert!(!ran.stdout.contains("tracees"), "it works without {name}: {ran:?}");
    }
}

/// With a terminal of its own the runtime does more before it starts the command.
fn a_profile_made_on_a_terminal_starts_the_container_on_one(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("tty.json");
    let traced = podman.trace(&of(&file), &["-t"], &["tty"]).success();
    assert!(traced.stdout.contains("/dev/pts/"), "{traced:?}");
    let ran =
        podman.run(&["-t", "--security-opt", &format!("seccomp={}", file.display())], &["tty"]).success();
    assert!(ran.stdout.contains("/dev/pts/"), "{ran:?}");
}
