//! What was left because no poststop came, or the machine was in a hurry: who finds it, and who finishes it.

use seccomp_trace_tests::podman::{Settings, of, traced};
use seccomp_trace_tests::{
    Finished, Podman, finish, full, say, seccomp_trace, wait_until, with_each_runtime,
};
use serde_json::{Value, json};

with_each_runtime!(
    status_lists_what_is_under_observation,
    cleanup_leaves_a_running_container_alone,
    cleanup_writes_the_profile_of_a_container_without_a_poststop,
    cleanup_of_everything_finishes_running_containers_too,
    the_next_hook_finishes_what_nobody_finished,
);

const WAITS: [&str; 3] = ["sh", "-c", "/tracees/caller getpgid; echo up; exec sleep 1000"];

/// A hook file that promises a poststop which never comes, as if the machine had been switched off.
fn without_poststop() -> Settings {
    let mut settings = Settings::default();
    settings.hook_files.truncate(1);
    settings.hook_files[0]["stages"] = json!(["prestart"]);
    settings
}

fn seccomp_trace_in(podman: &Podman, arguments: &[&str]) -> Finished {
    let mut command = podman.inside(seccomp_trace().to_str().expect("a path in UTF-8"));
    finish(command.args(arguments).arg("--state-dir").arg(podman.path("state")))
}

fn status(podman: &Podman) -> Value {
    let printed = seccomp_trace_in(podman, &["status", "--json"]).success().stdout;
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// Containers by their ids, where each goes, and what is known of it.
fn status_lists_what_is_under_observation(runtime: &str) {
    let podman = Podman::new(runtime);
    assert_eq!(status(&podman)["targets"], json!([]));
    for name in ["one", "two"] {
        let annotation = traced(&of(&podman.out(&format!("{name}.json"))));
        podman.detach(name, &["--annotation", &annotation], &WAITS);
        podman.wait_for_line(name, "up");
    }
    let listed = status(&podman);
    assert_eq!(listed["instances"].as_array().map(Vec::len), Some(1), "hooks share one: {listed}");
    for name in ["one", "two"] {
        let id = podman.podman(&["inspect", "--format", "{{.Id}}", name]).success().stdout;
        let targets = listed["targets"].as_array().expect("a list");
        let target = targets.iter().find(|target| target["container"] == id.trim()).expect(name);
        assert_eq!(target["output"], json!(podman.out(&format!("{name}.json"))));
        assert_eq!(target["runtime"], runtime);
        assert_eq!((&target["executed"], &target["complete"]), (&json!(true), &json!(true)), "{target}");
        assert!(target["syscalls"].as_u64().expect("a number") > 5, "{target}");
        assert!(target["live_tasks"].as_u64().expect("a number") >= 1, "{target}");
        let words = seccomp_trace_in(&podman, &["status"]).success().stdout;
        assert!(words.contains(id.trim()), "{words}");
    }
    drop(podman.podman(&["rm", "-a", "-f", "-t", "0"]).success());
    assert_eq!(status(&podman)["targets"], json!([]));
    podman.left(&["one.json", "two.json"]).nothing();
}

/// Looking after what was left must not cost what is not.
fn cleanup_leaves_a_running_container_alone(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = traced(&of(&podman.out("up.json")));
    podman.detach("up", &["--annotation", &annotation], &WAITS);
    podman.wait_for_line("up", "up");
    drop(podman.cleanup().success());
    assert!(!podman.out("up.json").exists());
    drop(podman.podman(&["exec", "up", "/tracees/caller", "eventfd2"]).success());
    drop(podman.podman(&["stop", "-t", "0", "up"]).success());
    assert!(podman.profile("up.json").workload_has(&["getpgid", "eventfd2"]));
    podman.left(&["up.json"]).nothing();
}

/// What was recorded is in the kernel until somebody asks for it.
fn cleanup_writes_the_profile_of_a_container_without_a_poststop(runtime: &str) {
    let podman = Podman::with(runtime, &without_poststop());
    drop(podman.trace(&of(&podman.out("late.json")), &[], &["/tracees/caller", "getpgid"]).success());
    assert!(!podman.out("late.json").exists(), "somebody has finished it, so this test shows nothing");
    drop(podman.cleanup().success());
    assert!(podman.profile("late.json").workload_has(&["getpgid", "exit_group"]));
    podman.left(&["late.json"]).nothing();
}

/// Before the tool is removed from the machine.
fn cleanup_of_everything_finishes_running_containers_too(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = traced(&of(&podman.out("up.json")));
    podman.detach("up", &["--annotation", &annotation], &WAITS);
    podman.wait_for_line("up", "up");
    drop(seccomp_trace_in(&podman, &["cleanup", "--all"]).success());
    assert!(podman.profile("up.json").workload_has(&["getpgid"]));
    podman.left(&["up.json"]).nothing();
    let written = std::fs::read(podman.out("up.json")).expect("the profile");
    drop(podman.podman(&["exec", "up", "/tracees/caller", "eventfd2"]).success());
    drop(podman.podman(&["stop", "-t", "0", "up"]).success());
    assert_eq!(std::fs::read(podman.out("up.json")).expect("the profile"), written, "it was finished before");
    podman.left(&["up.json"]).nothing();
}

/// Without an administrator who looks. It gives those time who may be about to finish it.
fn the_next_hook_finishes_what_nobody_finished(runtime: &str) {
    if !full() {
        say("left out: the time that a hook gives others is long; `make test-full` waits for it");
        return;
    }
    let podman = Podman::with(runtime, &without_poststop());
    drop(podman.trace(&of(&podman.out("late.json")), &[], &["/tracees/caller", "getpgid"]).success());
    wait_until("a hook that finishes it", || {
        drop(podman.trace(&of(&podman.out("other.json")), &[], &["ls", "/"]).success());
        podman.out("late.json").exists()
    });
    assert!(podman.profile("late.json").workload_has(&["getpgid", "exit_group"]));
}
