//! Two versions of the hook at once, as in an upgrade while containers run: each has an instance of its own, and touches
//! nothing of the other's.

use std::fs;
use std::path::PathBuf;

use seccomp_trace_tests::podman::{of, traced};
use seccomp_trace_tests::{Podman, with_each_runtime};
use serde_json::{Value, json};

with_each_runtime!(containers_of_another_version_are_left_to_it_and_cost_ours_nothing);

const WAITS: [&str; 3] =
    ["sh", "-c", "trap 'exit 7' TERM; /tracees/caller getpgid; echo up; while true; do sleep 0.1; done"];

/// The descriptions of the instances that there are.
fn instances(podman: &Podman) -> Vec<PathBuf> {
    let entries = fs::read_dir(podman.path("state")).expect("a hook was here");
    entries
        .map(|entry| entry.expect("an entry").path().join("instance.json"))
        .filter(|path| path.exists())
        .collect()
}

/// Says that an instance was made of other BPF sources; gives what it said before.
fn relabel(instance: &PathBuf, layout: &Value) -> Value {
    let text = fs::read(instance).expect("a file of the hook's");
    let mut file: Value = serde_json::from_slice(&text).expect("it is JSON");
    let before = std::mem::replace(&mut file["layout"], layout.clone());
    fs::write(instance, file.to_string()).expect("a file of the hook's");
    before
}

fn containers_of_another_version_are_left_to_it_and_cost_ours_nothing(runtime: &str) {
    let podman = Podman::new(runtime);
    podman.detach("old", &["--annotation", &traced(&of(&podman.out("old.json")))], &WAITS);
    podman.wait_for_line("old", "up");
    let [old] = &instances(&podman)[..] else { panic!("one hook has made other than one instance") };
    let ours = relabel(old, &json!("of another version"));

    // Two of ours: the second finds that of the first, which it can join.
    podman.detach("new", &["--annotation", &traced(&of(&podman.out("new.json")))], &WAITS);
    podman.wait_for_line("new", "up");
    drop(podman.trace(&of(&podman.out("brief.json")), &[], &["/tracees/caller", "eventfd2"]).success());
    assert!(podman.profile("brief.json").workload_has(&["eventfd2"]));
    assert_eq!(instances(&podman).len(), 2, "the other version's, and ours");
    drop(podman.podman(&["stop", "-t", "120", "new"]).success());
    assert!(podman.profile("new.json").workload_has(&["getpgid"]));
    assert_eq!(
        instances(&podman),
        std::slice::from_ref(old),
        "ours is gone with its last container, and the other is not"
    );

    // Whoever clears up does not take what is not ours for left behind.
    let _ = podman.cleanup();
    assert_eq!(instances(&podman), std::slice::from_ref(old));
    drop(podman.podman(&["exec", "old", "/tracees/caller", "timerfd_create"]).success());
    drop(podman.podman(&["stop", "-t", "120", "old"]).success());
    assert_eq!(podman.podman(&["wait", "old"]).success().stdout.trim(), "7", "the container was harmed");
    assert!(!podman.out("old.json").exists(), "it was understood, so this test shows nothing");
    let said = podman.said();
    assert!(said.iter().any(|line| line.contains("version")), "not a word of it: {said:#?}");

    // Its own version finishes it.
    let _ = relabel(old, &ours);
    drop(podman.cleanup().success());
    assert!(podman.profile("old.json").workload_has(&["getpgid", "timerfd_create"]));
    podman.left(&["old.json", "new.json", "brief.json"]).nothing();
}
