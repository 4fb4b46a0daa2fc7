//! What the hook leaves behind for as long as a container lives has few privileges.

use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::podman::{Settings, of, traced};
use seccomp_trace_tests::privileges::{BPF, FILES, Privileges, SYS_ADMIN};
use seccomp_trace_tests::{
    Podman, ProfileFile, Running, finish, oci_hook, privileged, scratch, wait_until, with_each_runtime,
};

with_each_runtime!(a_watcher_keeps_what_it_takes_to_finish_its_container);

/// Where the hook file has no poststop.
fn a_watcher_keeps_what_it_takes_to_finish_its_container(runtime: &str) {
    let podman = Podman::with(runtime, &Settings::upstream());
    let annotation = traced(&of(&podman.out("up.json")));
    podman.detach("up", &["--annotation", &annotation], &["sleep", "1000"]);
    wait_until("both processes of the watcher", || podman.hook().processes().len() == 2);
    for process in podman.hook().processes() {
        Privileges::once_confined(process).assert_left(FILES | SYS_ADMIN | BPF, "a watcher");
    }
    drop(podman.podman(&["rm", "-f", "-t", "0", "up"]).success());
    wait_until("the end of the watcher", || podman.hook().processes().is_empty());
    let said = podman.said();
    assert!(!said.iter().any(|line| line.contains("privileges")), "{said:#?}");
    podman.left(&["up.json"]).nothing();
}

/// With `-r`, on whatever runs already.
#[test]
fn a_traced_process_leaves_its_tracer_the_capabilities_for_files() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("p.json");
    let target = Running::start(Command::new("sh").args(["-c", "kill -STOP $$; ls /"]));
    let stopped = || {
        let state = finish(Command::new("ps").args(["-o", "state=", "-p", &target.pid().to_string()])).stdout;
        state.starts_with('T')
    };
    wait_until("the target to stop", stopped);
    let pid = target.pid().to_string();
    let hook = Running::start(Command::new(oci_hook()).args(["-r", &pid, "-o"]).arg(&output));
    Privileges::once_confined(hook.pid()).assert_left(FILES, "the hook with -r");
    target.signal(Signal::SIGCONT);
    drop(target.wait().success());
    let ended = hook.wait().success();
    assert!(!ended.stderr.contains("privileges"), "{ended:?}");
    assert!(ProfileFile::read(&output).workload_has(&["getdents64"]));
}
