//! `attach --container`: who is in it, who entered it before, and who enters it later.

use std::path::Path;

use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::{
    Podman, ProfileFile, Running, calls, read_recording, seccomp_trace, with_each_runtime, workload,
};

with_each_runtime!(
    everybody_in_the_container_is_recorded,
    a_container_is_known_by_its_id_and_the_beginning_of_it,
);

/// `attach` in podman's environment, when it has attached.
fn attached(podman: &Podman, arguments: &[&str]) -> Running {
    let program = seccomp_trace();
    let mut command = podman.inside(program.to_str().expect("UTF-8"));
    let attach = Running::start(command.arg("attach").args(arguments));
    attach.wait_for_error("attached");
    attach
}

fn everybody_in_the_container_is_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    podman.detach("one", &[], &["sh", "-c", "echo up; exec sleep 1000"]);
    podman.wait_for_line("one", "up");
    // No exec of it comes after the beginning, by which it could be met.
    let mut before = Tracee::spawn(&mut podman.command(&["exec", "-i", "one", "/tracees/swarm", "1"]));
    let (profile, file) = (podman.out("p.json"), podman.out("r.json"));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let attach =
        attached(&podman, &["--container", "one", "-o", &text(&profile), "--recording", &text(&file)]);
    before.go_on();
    drop(podman.podman(&["exec", "one", "/tracees/caller", "getpgid"]).success());
    // Another container.
    drop(podman.run(&[], &["/tracees/caller", "eventfd2"]).success());
    drop(podman.podman(&["stop", "-t", "0", "one"]).success());
    let finished = attach.wait().success();
    assert!(finished.stderr.contains("complete ->"), "{finished:?}");

    let recording = read_recording(&file);
    let seen = workload(&recording);
    assert!(calls(["getitimer", "getpgid"]).is_subset(&seen), "{seen:?}");
    assert!(calls(["eventfd2"]).is_disjoint(&seen), "{seen:?}");
    let run = recording.runs().values().next().expect("one run");
    assert_eq!(run.runtime.as_ref().expect("a runtime").name, runtime);
    assert!(run.container.as_ref().expect("a container").image.is_some());

    assert!(ProfileFile::read(&profile).workload_has(&["getitimer", "getpgid"]));
    let option = format!("seccomp={}", text(&profile));
    drop(podman.run(&["--security-opt", &option], &["/tracees/caller", "getitimer"]).success());
}

fn a_container_is_known_by_its_id_and_the_beginning_of_it(runtime: &str) {
    let podman = Podman::new(runtime);
    podman.detach("one", &[], &["sleep", "1000"]);
    let id = podman.podman(&["inspect", "--format", "{{.Id}}", "one"]).success().stdout.trim().to_owned();
    for wanted in [&id, &id[..12]] {
        drop(attached(&podman, &["--container", wanted, "--max-time", "0"]).wait().success());
    }
    drop(podman.podman(&["stop", "-t", "0", "one"]).success());
    let program = seccomp_trace();
    let mut command = podman.inside(program.to_str().expect("UTF-8"));
    let refused = Running::start(command.args(["attach", "--container", "one"])).wait();
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.stderr.contains("not running"), "{refused:?}");
}
