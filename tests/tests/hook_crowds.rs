//! Many containers at once: each gets its own profile, and those that share an output get one for all.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use seccomp_trace_tests::podman::{of, traced};
use seccomp_trace_tests::{Podman, Running, full, harmless, wait_until, with_each_runtime};
use serde_json::Value;

with_each_runtime!(
    containers_at_once_get_their_own_profiles,
    containers_that_overlap_share_one_output,
    containers_after_each_other_replace_the_output,
    overlapping_containers_with_different_inputs_are_refused,
);

/// Calls that the engine's own filter lets through.
fn calls() -> Vec<&'static str> {
    let denied = ["fanotify_init", "kcmp", "personality", "vmsplice"];
    harmless().into_iter().filter(|call| !denied.contains(call)).collect()
}

fn start(podman: &Podman, file: &Path, options: &[&str], command: &[&str]) -> Running {
    let annotation = traced(&of(file));
    let run = ["run", "--rm", "--net=none", "--annotation", &annotation];
    podman.start(&[&run[..], options, &[seccomp_trace_tests::podman::IMAGE], command].concat())
}

/// What of these calls is in a container's profile.
fn seen(podman: &Podman, file: &str) -> BTreeSet<&'static str> {
    let workload = podman.profile(file).workload();
    calls().into_iter().filter(|call| workload.contains(*call)).collect()
}

/// Each makes a call that none of the others makes.
fn containers_at_once_get_their_own_profiles(runtime: &str) {
    let podman = Podman::new(runtime);
    let count = if full() { 50 } else { 6 };
    let file = |index: usize| format!("{index}.json");
    let own: Vec<_> = calls().into_iter().take(count).collect();
    assert_eq!(own.len(), count);
    // What the command calls besides, none of them alone.
    drop(podman.trace(&of(&podman.out("none.json")), &[], &["/tracees/caller"]).success());
    let common = seen(&podman, "none.json");

    let running: Vec<_> = own
        .iter()
        .enumerate()
        .map(|(index, call)| start(&podman, &podman.out(&file(index)), &[], &["/tracees/caller", call]))
        .collect();
    for container in running {
        drop(container.wait().success());
    }
    for (index, call) in own.iter().enumerate() {
        let mut expected = common.clone();
        expected.insert(call);
        assert_eq!(seen(&podman, &file(index)), expected, "container {index}");
    }
    let mut left = podman.left(&["none.json"]);
    left.files.retain(|name| !own.iter().enumerate().any(|(index, _)| *name == file(index)));
    left.nothing();
}

/// Reads a file all the time: it must be whole whenever it is there.
fn always_whole(file: &Path, end: &AtomicBool) -> usize {
    let mut versions = BTreeSet::new();
    while !end.load(Ordering::Relaxed) {
        if let Ok(text) = fs::read(file) {
            let profile: Result<Value, _> = serde_json::from_slice(&text);
            assert!(profile.is_ok(), "a torn profile: {:?}", String::from_utf8_lossy(&text));
            versions.insert(text);
        }
        std::thread::yield_now();
    }
    versions.len()
}

/// They overlap for certain: none ends before all have begun. The one profile starts each of them.
fn containers_that_overlap_share_one_output(runtime: &str) {
    let podman = Podman::new(runtime);
    let count = if full() { 20 } else { 4 };
    let own: Vec<_> = calls().into_iter().take(count).collect();
    let shared = podman.path("shared");
    fs::create_dir(&shared).expect("a folder in a folder of ours");
    let volume = format!("{}:/shared", shared.display());
    let file = podman.out("union.json");
    let script = "/tracees/caller $0; : >/shared/$0; while ! [ -e /shared/go ]; do sleep 0.05; done";

    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| always_whole(&file, &ended));
        let running: Vec<_> = own
            .iter()
            .map(|call| start(&podman, &file, &["-v", &volume], &["sh", "-c", script, call]))
            .collect();
        wait_until("all containers", || own.iter().all(|call| shared.join(call).exists()));
        fs::write(shared.join("go"), "").expect("a file in a folder of ours");
        let finished: Vec<_> = running.into_iter().map(Running::wait).collect();
        ended.store(true, Ordering::Relaxed);
        assert!(reader.join().expect("no torn profile") >= 1, "nothing was ever read");
        for finished in finished {
            drop(finished.success());
        }
    });
    let union = podman.profile("union.json").workload();
    for call in &own {
        assert!(union.contains(*call), "{call} is not in {union:?}; the log: {:#?}", podman.said());
    }
    podman.left(&["union.json"]).nothing();
    let seccomp = format!("seccomp={}", file.display());
    for call in [own[0], own[count - 1]] {
        let options = ["--security-opt", &seccomp, "-v", &volume];
        drop(podman.run(&options, &["sh", "-c", script, call]).success());
    }
}

/// What they were asked for is the profile of the last run, not of the week.
fn containers_after_each_other_replace_the_output(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("last.json");
    for call in ["getpgid", "sysinfo"] {
        drop(podman.trace(&of(&file), &[], &["/tracees/caller", call]).success());
    }
    let workload = podman.profile("last.json").workload();
    assert!(workload.contains("sysinfo") && !workload.contains("getpgid"), "{workload:?}");
}

/// One file cannot extend two.
fn overlapping_containers_with_different_inputs_are_refused(runtime: &str) {
    let podman = Podman::new(runtime);
    let (input, output) = (podman.path("in.json"), podman.out("out.json"));
    fs::write(&input, r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#).expect("a file in a folder of ours");
    podman.detach(
        "first",
        &["--annotation", &traced(&of(&output))],
        &["sh", "-c", "echo up; exec sleep 1000"],
    );
    podman.wait_for_line("first", "up");
    let second = podman.trace(&format!("if:{};{}", input.display(), of(&output)), &[], &["ls", "/"]);
    assert_eq!(second.code(), 126, "{second:?}");
    assert!(
        podman.said().iter().any(|line| line.starts_with("<10>") && line.contains("out.json")),
        "{:#?}",
        podman.said()
    );
    drop(podman.podman(&["stop", "-t", "0", "first"]).success());
    assert!(podman.profile("out.json").workload_has(&["write"]));
    podman.left(&["out.json"]).nothing();
}
