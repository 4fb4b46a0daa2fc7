//! A command that confines itself or others, as browsers, bubblewrap and podman do: its filters are its own business, and
//! all of it is the workload.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_core::Syscall;
use seccomp_trace_tests::podman::{IMAGE, of, options, traced};
use seccomp_trace_tests::strace::both;
use seccomp_trace_tests::{
    Podman, assert_same, calls, finish, privileged, read_recording, recorded, scratch, seccomp_trace, tracee,
    with_each_runtime, workload,
};

with_each_runtime!(a_command_that_is_podman_is_recorded_into_its_containers);

/// A call that a filter denies is not made: strace is asked before the filter, and sees it all the same.
#[test]
fn a_program_with_nested_filters_is_recorded_as_strace_sees_it_but_for_what_they_deny() {
    privileged!();
    let both = both(&[&tracee("browser")]);
    let denied = calls(["getsid", "getpgid"]);
    assert!(both.strace.is_superset(&denied), "{both:?}");
    assert!(both.strace.is_superset(&calls(["times", "capget", "sysinfo", "getresuid", "seccomp"])));
    assert_same(&both.recorded, &(&both.strace - &denied));
}

/// The tracee with these calls in a sandbox, under a filter that a shell opens as descriptor 9 by `open`.
fn in_sandbox(open: &str, own: &[&str]) -> Vec<String> {
    let script = format!("{open} exec bwrap --unshare-all --bind / / --proc /proc --dev /dev \"$@\"");
    let caller = tracee("caller");
    let filter: &[&str] = if open.is_empty() { &[] } else { &["--seccomp", "9"] };
    [&["sh", "-c", &script, "sh"], filter, &[&caller], own].concat().into_iter().map(str::to_owned).collect()
}

/// All that is recorded of it.
fn sandboxed(open: &str, own: &[&str]) -> BTreeSet<Syscall> {
    let words = in_sandbox(open, own);
    recorded(&words.iter().map(String::as_str).collect::<Vec<_>>()).0
}

#[test]
fn what_runs_in_a_sandbox_is_recorded_exactly() {
    privileged!();
    let own = ["getpgid", "sysinfo", "timerfd_create"];
    assert_same(&(&sandboxed("", &own) - &sandboxed("", &[])), &calls(own));
}

/// The filter is made by ourselves, of what the same sandbox was seen to run.
#[test]
fn what_runs_in_a_sandbox_with_a_filter_is_recorded_exactly() {
    privileged!();
    let folder = scratch();
    let at = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (recording, filter) = (at("r.json"), at("filter.bpf"));
    let own = ["getpgid", "sysinfo"];
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--recording", &recording, "--"]).args(in_sandbox("", &own));
    drop(finish(&mut run).success());
    let mut export = Command::new(seccomp_trace());
    let native = std::env::consts::ARCH;
    export.args(["export", "-f", "bpf", "--arch", native, "-o", &filter, &recording]);
    let _ = finish(&mut export).success();
    let filter = format!("exec 9<{filter};");
    assert_same(&(&sandboxed(&filter, &own) - &sandboxed(&filter, &[])), &calls(own));
    // It is in force: a call that it does not allow is not made, and so not recorded.
    assert_same(&(&sandboxed(&filter, &["times"]) - &sandboxed(&filter, &[])), &calls([]));
}

/// Engine, monitor, runtime and container are all descendants of the command. The container's own recording, by the hook
/// that is one of them, is another one's and does not mix with it.
fn a_command_that_is_podman_is_recorded_into_its_containers(runtime: &str) {
    let podman = Podman::new(runtime);
    let outer = podman.out("outer.json");
    let (profile, inner) = (podman.out("inner.json"), podman.out("inner-r.json"));
    let program = seccomp_trace();
    let mut run = podman.inside(program.to_str().expect("UTF-8"));
    run.args(["run", "-q", "--recording"]).arg(&outer).args(["--", "podman", "run", "--rm", "--net=none"]);
    run.args(["--annotation", &traced(&of(&profile))]);
    run.args(["--annotation", &options(&format!("recording={}", inner.display()))]);
    let script = "/tracees/caller getpgid timerfd_create; exit 5";
    let finished = finish(run.args([IMAGE, "sh", "-c", script]));
    assert_eq!(finished.code(), 5, "{finished:?}");

    let (outer, inner) = (read_recording(&outer), read_recording(&inner));
    assert!(outer.losses().is_none() && inner.losses().is_none(), "{outer:?} {inner:?}");
    let own = calls(["getpgid", "timerfd_create"]);
    assert!(workload(&inner).is_superset(&own), "{inner:?}");
    let all = workload(&outer);
    let missed = &workload(&inner) - &all;
    assert!(missed.is_empty(), "what the container did is what the command did: {missed:?}");
    assert!(all.is_superset(&calls(["pivot_root", "mount", "bpf"])), "{all:?}");
    assert!(workload(&inner).is_disjoint(&calls(["pivot_root", "bpf"])), "{inner:?}");
    podman.left(&["outer.json", "inner.json", "inner-r.json"]).nothing();
}
