//! `attach --container`: who is in it, who entered it before, and who enters it later.

use std::path::Path;

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

/// A container that does nothing, and in it a process that `podman exec` has brought: at `/go` it calls getsid.
fn start(podman: &Podman) {
    podman.detach("one", &[], &["sh", "-c", "echo up; exec sleep 1000"]);
    podman.wait_for_line("one", "up");
    let script = "touch /here; until test -e /go; do sleep 0.02; done; exec /tracees/caller getsid";
    drop(podman.podman(&["exec", "-d", "one", "sh", "-c", script]).success());
    drop(podman.podman(&["exec", "one", "sh", "-c", "until test -e /here; do sleep 0.02; done"]).success());
}

fn everybody_in_the_container_is_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    start(&podman);
    let (profile, file) = (podman.out("p.json"), podman.out("r.json"));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let attach =
        attached(&podman, &["--container", "one", "-o", &text(&profile), "--recording", &text(&file)]);
    drop(podman.podman(&["exec", "one", "touch", "/go"]).success());
    drop(podman.podman(&["exec", "one", "/tracees/caller", "getpgid"]).success());
    // Neither is in the container: one is another container, the other has only its name in common with it.
    drop(podman.run(&[], &["/tracees/caller", "eventfd2"]).success());
    drop(podman.podman(&["stop", "-t", "0", "one"]).success());
    let finished = attach.wait().success();
    assert!(finished.stderr.contains("complete ->"), "{finished:?}");

    let recording = read_recording(&file);
    let seen = workload(&recording);
    assert!(calls(["getsid", "getpgid"]).is_subset(&seen), "{seen:?}");
    assert!(calls(["eventfd2"]).is_disjoint(&seen), "{seen:?}");
    let run = recording.runs().values().next().expect("one run");
    assert_eq!(run.runtime.as_ref().expect("a runtime").name, runtime);
    assert!(run.container.as_ref().expect("a container").image.is_some());

    // The container was waiting in its one call; all else is podman exec's.
    assert!(ProfileFile::read(&profile).workload_has(&["getsid", "getpgid"]));
    let option = format!("seccomp={}", text(&profile));
    drop(podman.run(&["--security-opt", &option], &["/tracees/caller", "getsid"]).success());
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
