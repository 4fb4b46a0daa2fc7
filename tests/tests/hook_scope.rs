//! Whose syscalls are in the profile: those of everybody in the container, and of nobody else.

use std::process::Command;

use seccomp_trace_tests::podman::{Settings, of, traced};
use seccomp_trace_tests::{Podman, ProfileFile, finish, runs_32_bit, say, tracee, with_each_runtime};

with_each_runtime!(
    what_exec_brings_into_the_container_is_recorded,
    a_nested_mount_namespace_is_still_the_container,
    who_enters_beside_an_init_that_left_its_mount_namespace_is_recorded,
    who_enters_from_the_host_is_not_recorded,
    hooks_of_others_are_not_the_workload,
    what_the_engine_itself_denies_is_not_recorded,
    daemons_of_an_unconfined_container_are_recorded,
    a_container_in_the_hosts_namespaces_is_recorded_alone,
    on_the_unified_cgroup_tree_it_is_the_same,
    without_a_cgroup_of_its_own_it_is_the_same,
    i386_calls_bring_their_abi_into_the_profile,
);

/// Whether a runtime works on the unified cgroup tree: there crun wants to lock any amount of memory for its filter of
/// devices, and not everybody may raise that limit.
fn works_unified(runtime: &str) -> bool {
    runtime != "crun"
        || finish(Command::new("prlimit").args(["--memlock=unlimited", "true"])).status.success()
}

/// Starts a traced container that waits, does `meanwhile`, and stops it: its profile.
fn traced_while(podman: &Podman, options: &[&str], meanwhile: impl FnOnce()) -> ProfileFile {
    let annotation = traced(&of(&podman.out("one.json")));
    let options = [&["--annotation", &annotation], options].concat();
    podman.detach("one", &options, &["sh", "-c", "echo up; exec sleep 1000"]);
    podman.wait_for_line("one", "up");
    meanwhile();
    drop(podman.podman(&["stop", "-t", "0", "one"]).success());
    podman.profile("one.json")
}

/// Each `podman exec` is a process of the runtime that enters from outside.
fn what_exec_brings_into_the_container_is_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    let profile = traced_while(&podman, &[], || {
        for call in ["getpgid", "eventfd2", "timerfd_create"] {
            drop(podman.podman(&["exec", "one", "/tracees/caller", call]).success());
        }
    });
    assert!(profile.workload_has(&["getpgid", "eventfd2", "timerfd_create"]), "{profile:?}");
}

/// Neither its mount namespace nor its pid namespace is the container's own.
fn a_nested_mount_namespace_is_still_the_container(runtime: &str) {
    let podman = Podman::new(runtime);
    let options = ["--cap-add", "SYS_ADMIN"];
    drop(podman.trace(&of(&podman.out("nested.json")), &options, &["/tracees/unshare"]).success());
    let profile = podman.profile("nested.json");
    assert!(profile.workload_has(&["unshare", "getsid", "getpgid"]), "{profile:?}");

    let profile = traced_while(&podman, &options, || {
        drop(podman.podman(&["exec", "one", "/tracees/unshare"]).success());
    });
    assert!(profile.workload_has(&["unshare", "getsid", "getpgid"]), "{profile:?}");
    podman.left(&["nested.json", "one.json"]).nothing();
}

/// Runtimes take who enters to where the init is now: a service manager makes itself another mount namespace.
fn who_enters_beside_an_init_that_left_its_mount_namespace_is_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = traced(&of(&podman.out("moved.json")));
    let options = ["--cap-add", "SYS_ADMIN", "--annotation", &annotation];
    podman.detach("moved", &options, &["unshare", "-m", "sh", "-c", "echo up; exec sleep 1000"]);
    podman.wait_for_line("moved", "up");
    drop(podman.podman(&["exec", "moved", "/tracees/caller", "getpgid"]).success());
    drop(podman.podman(&["stop", "-t", "0", "moved"]).success());
    let profile = podman.profile("moved.json");
    assert!(profile.workload_has(&["getpgid"]), "{profile:?}");
}

/// An administrator who looks into a container is not the container.
fn who_enters_from_the_host_is_not_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    let profile = traced_while(&podman, &[], || {
        let mut enter = Command::new("nsenter");
        enter.args(["--target", &podman.pid_of("one"), "--mount", "--uts", "--ipc", "--net", "--pid", "--"]);
        drop(finish(enter.args(["/tracees/caller", "getpgid"])).success());
        drop(podman.podman(&["exec", "one", "/tracees/caller", "eventfd2"]).success());
    });
    assert!(profile.workload_has(&["eventfd2"]), "the one who may be recorded was not: {profile:?}");
    assert!(!profile.allowed().contains("getpgid"), "{profile:?}");
}

/// They run in the container's namespaces, as children of its init, before the filter is there.
fn hooks_of_others_are_not_the_workload(runtime: &str) {
    let podman = Podman::new(runtime);
    let caller = tracee("caller");
    podman.add_hook("outside", &[&caller, "eventfd2"], &["createContainer"]);
    podman.add_hook("inside", &["/tracees/caller", "getpgid"], &["startContainer"]);
    podman.add_hook("beside", &[&caller, "times"], &["prestart", "poststart"]);
    drop(podman.trace(&of(&podman.out("own.json")), &[], &["/tracees/caller", "sysinfo"]).success());
    let workload = podman.profile("own.json").workload();
    let rare: Vec<_> =
        ["eventfd2", "getpgid", "sysinfo", "times"].iter().filter(|call| workload.contains(**call)).collect();
    assert_eq!(rare, [&"sysinfo"], "{workload:?}");
}

/// The command was answered ENOSYS or EPERM for it and lived: so it can under the profile.
fn what_the_engine_itself_denies_is_not_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    let calls = ["/tracees/caller", "kcmp", "getpgid"];
    drop(podman.trace(&of(&podman.out("denied.json")), &[], &calls).success());
    let profile = podman.profile("denied.json");
    assert!(profile.workload_has(&["getpgid"]) && !profile.allowed().contains("kcmp"), "{profile:?}");
}

/// No filter is ever installed: the command is known by its exec alone.
fn daemons_of_an_unconfined_container_are_recorded(runtime: &str) {
    let podman = Podman::new(runtime);
    for (name, options) in
        [("unconfined", &["--security-opt", "seccomp=unconfined"][..]), ("privileged", &["--privileged"])]
    {
        let script = "/tracees/caller kcmp; /tracees/daemon; while pidof daemon; do sleep 0.01; done; exec /tracees/caller sysinfo";
        let file = format!("{name}.json");
        drop(podman.trace(&of(&podman.out(&file)), options, &["sh", "-c", script]).success());
        let profile = podman.profile(&file);
        assert!(profile.workload_has(&["kcmp", "setsid", "inotify_init1", "sysinfo"]), "{name}: {profile:?}");
    }
    podman.left(&["unconfined.json", "privileged.json"]).nothing();
}

/// With the host's pid and network namespaces, and without a cgroup of its own, what tells a process of the container
/// from another is less.
fn a_container_in_the_hosts_namespaces_is_recorded_alone(runtime: &str) {
    let podman = Podman::new(runtime);
    let profile = traced_while(&podman, &["--pid=host", "--ipc=host", "--uts=host"], || {
        drop(finish(Command::new(tracee("caller")).arg("getpgid")).success());
        drop(podman.podman(&["exec", "one", "/tracees/caller", "eventfd2"]).success());
    });
    assert!(profile.workload_has(&["eventfd2"]) && !profile.allowed().contains("getpgid"), "{profile:?}");
}

/// What enters is recorded, and what only looks in is not.
fn whoever_enters_is_told_apart(podman: &Podman, options: &[&str]) {
    let profile = traced_while(podman, options, || {
        let mut enter = Command::new("nsenter");
        enter.args([
            "--target",
            &podman.pid_of("one"),
            "--mount",
            "--pid",
            "--",
            "/tracees/caller",
            "getpgid",
        ]);
        drop(finish(&mut enter).success());
        drop(podman.podman(&["exec", "one", "/tracees/caller", "eventfd2"]).success());
    });
    assert!(profile.workload_has(&["eventfd2"]) && !profile.allowed().contains("getpgid"), "{profile:?}");
    podman.left(&["one.json"]).nothing();
}

/// Cgroups have other numbers there, and the runtimes' own processes move otherwise.
fn on_the_unified_cgroup_tree_it_is_the_same(runtime: &str) {
    if !works_unified(runtime) {
        say(
            "left out: crun does not run on the unified cgroup tree here, as the limit of locked memory cannot be raised",
        );
        return;
    }
    let podman = Podman::with(runtime, &Settings { unified: true, ..Settings::default() });
    whoever_enters_is_told_apart(&podman, &[]);
}

/// The engine moves nobody then: what a process has in common with the container must be enough.
fn without_a_cgroup_of_its_own_it_is_the_same(runtime: &str) {
    if runtime != "crun" {
        say("left out: podman runs containers without cgroups with crun alone");
        return;
    }
    whoever_enters_is_told_apart(&Podman::new(runtime), &["--cgroups=disabled"]);
}

/// Number 20 is getpid for i386, and writev for x86-64: without the ABI the profile would allow another call.
fn i386_calls_bring_their_abi_into_the_profile(runtime: &str) {
    if !runs_32_bit() {
        return;
    }
    let podman = Podman::new(runtime);
    let file = podman.out("i386.json");
    drop(podman.trace(&of(&file), &[], &["/tracees/i386"]).success());
    let architectures = podman.profile("i386.json").json["architectures"].clone();
    let has = |name: &str| architectures.as_array().is_some_and(|list| list.iter().any(|arch| arch == name));
    assert!(has("SCMP_ARCH_X86_64") && has("SCMP_ARCH_X86"), "{architectures}");
    let seccomp = format!("seccomp={}", file.display());
    drop(podman.run(&["--security-opt", &seccomp], &["/tracees/i386"]).success());
}
