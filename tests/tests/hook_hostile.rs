//! What a container, or a file that is not ours, could make the hook do.

use std::fs;
use std::os::unix::fs::symlink;

use seccomp_trace_tests::podman::{of, traced};
use seccomp_trace_tests::{Podman, with_each_runtime};

with_each_runtime!(
    a_link_that_the_container_makes_is_not_followed,
    a_directory_that_the_container_turns_into_a_link_is_not_followed,
    a_link_that_was_there_before_is_written_through,
    an_output_that_is_no_file_stops_the_container,
    files_of_another_version_and_damaged_ones_stop_nothing,
    containers_that_overlap_may_extend_one_profile_in_place,
);

/// There is no profile, the log says why, and the recording is not lost.
fn not_written(podman: &Podman, why: &str) {
    let said = podman.said();
    assert!(
        said.iter().any(|line| line.starts_with("<10>") && line.contains(why)),
        "nobody says why there is no profile: {said:#?}"
    );
    fs::remove_file(podman.kept_recordings().first().expect("the recording is not lost"))
        .expect("the recording");
}

/// The directory of its output is mounted into the container: it could lead root to any file of the host.
fn a_link_that_the_container_makes_is_not_followed(runtime: &str) {
    let podman = Podman::new(runtime);
    let victim = podman.path("victim");
    fs::write(&victim, "precious").expect("a file in a folder of ours");
    let out = podman.out("");
    let volume = format!("{}:/out", out.display());
    let link = ["ln", "-s", victim.to_str().expect("UTF-8"), "/out/p.json"];
    drop(podman.trace(&of(&podman.out("p.json")), &["-v", &volume], &link).success());
    assert_eq!(fs::read_to_string(&victim).expect("the victim"), "precious");
    not_written(&podman, "no regular file");
}

/// Not the file's name alone can lead elsewhere.
fn a_directory_that_the_container_turns_into_a_link_is_not_followed(runtime: &str) {
    let podman = Podman::new(runtime);
    let victim = podman.path("victim");
    for folder in [&victim, &podman.out("sub")] {
        fs::create_dir(folder).expect("a folder in a folder of ours");
    }
    let volume = format!("{}:/out", podman.out("").display());
    let turn = format!("mv /out/sub /out/aside && ln -s {} /out/sub", victim.display());
    drop(podman.trace(&of(&podman.out("sub/p.json")), &["-v", &volume], &["sh", "-c", &turn]).success());
    assert_eq!(fs::read_dir(&victim).expect("the victim").count(), 0);
    not_written(&podman, "cannot write");
}

/// As upstream's users have it.
fn a_link_that_was_there_before_is_written_through(runtime: &str) {
    let podman = Podman::new(runtime);
    symlink("target.json", podman.out("link.json")).expect("a link in a folder of ours");
    drop(podman.trace(&of(&podman.out("link.json")), &[], &["/tracees/caller", "getpgid"]).success());
    assert!(fs::symlink_metadata(podman.out("link.json")).expect("the link").is_symlink());
    assert!(podman.profile("target.json").workload_has(&["getpgid"]));
}

/// Root would wait for the other end of a pipe, and the engine for root.
fn an_output_that_is_no_file_stops_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    nix::unistd::mkfifo(&podman.out("pipe"), nix::sys::stat::Mode::S_IRWXU)
        .expect("a pipe in a folder of ours");
    let ran = podman.trace(&of(&podman.out("pipe")), &[], &["true"]);
    assert_eq!(ran.code(), 126, "{ran:?}");
    let said = podman.said();
    assert!(said.iter().any(|line| line.contains("not a regular file")), "{said:#?}");
    podman.left(&["pipe"]).nothing();
}

/// An upgrade while a container runs leaves such files; one bad file must not cost the profiles of all containers.
fn files_of_another_version_and_damaged_ones_stop_nothing(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = traced(&of(&podman.out("one.json")));
    podman.detach("one", &["--annotation", &annotation], &["sh", "-c", "echo up; exec sleep 1000"]);
    podman.wait_for_line("one", "up");

    let state = podman.path("state");
    let other = state.join("instance-other");
    fs::create_dir(&other).expect("the state directory");
    fs::write(other.join("instance.json"), r#"{"layout": "another", "made_by": ["somebody"]}"#)
        .expect("a file");
    fs::write(other.join("0.json"), r#"{"container": {"id": "theirs"}, "more": 1}"#).expect("a file");
    let ours =
        fs::read_dir(&state).expect("the state directory").flatten().map(|entry| entry.path()).find(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("instance-"))
                && *path != other
        });
    fs::write(ours.expect("an instance").join("63.json"), "{ half a fi").expect("a file");

    drop(podman.trace(&of(&podman.out("two.json")), &[], &["/tracees/caller", "getpgid"]).success());
    assert!(podman.profile("two.json").workload_has(&["getpgid"]));
    drop(podman.podman(&["exec", "one", "/tracees/caller", "eventfd2"]).success());
    drop(podman.podman(&["stop", "-t", "0", "one"]).success());
    assert!(podman.profile("one.json").workload_has(&["eventfd2"]));

    let cleanup = podman.cleanup();
    assert_eq!(cleanup.code(), 2, "what is not ours is told: {cleanup:?}");
    assert!(cleanup.stderr.contains("theirs"), "{cleanup:?}");
    fs::remove_dir_all(&other).expect("a folder of ours");
    drop(podman.cleanup().success());
    podman.left(&["one.json", "two.json"]).nothing();
}

/// Replicas that widen one profile: each starts from what the others have written.
fn containers_that_overlap_may_extend_one_profile_in_place(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("p.json");
    fs::write(
        &file,
        r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ALLOW"}]}"#,
    )
    .expect("a file in a folder of ours");
    let annotation = traced(&format!("if:{0};of:{0}", file.display()));
    let wait = ["sh", "-c", "/tracees/caller getpgid; echo up; exec sleep 1000"];
    podman.detach("one", &["--annotation", &annotation], &wait);
    podman.wait_for_line("one", "up");
    let run = |call: &str| {
        drop(podman.run(&["--annotation", &annotation], &["/tracees/caller", call]).success());
    };
    run("eventfd2");
    run("timerfd_create");
    drop(podman.podman(&["stop", "-t", "0", "one"]).success());
    let allowed = podman.profile("p.json").allowed();
    for call in ["mkdir", "getpgid", "eventfd2", "timerfd_create"] {
        assert!(allowed.contains(call), "{call}: {allowed:?}");
    }
    podman.left(&["p.json"]).nothing();
}
