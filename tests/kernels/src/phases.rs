//! A container's own way: setup, filter, runtime init, exec, workload.

use std::collections::BTreeSet;

use seccomp_trace_core::{Phase, Recording};
use seccomp_trace_tests::strace::both;
use seccomp_trace_tests::{assert_same, calls, workload};

use crate::Scenario::Trace;
use crate::cgroups::Hierarchy;
use crate::container::{Container, assert_complete, assert_nothing_left, loaded, made};
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("phases-by-prctl", Trace, || phases("prctl", "prctl")),
    ("phases-by-seccomp", Trace, || phases("seccomp", "seccomp")),
    ("hook-in-setup", Trace, hook_in_setup),
    ("finish-from-pins", Trace, finish_from_pins),
];

fn run(how: &str, hook: &str) -> Recording {
    let cgroup = Hierarchy::Unified.cgroup("phases");
    let caller = tracee("caller");
    let mut container = Container::create("phases", Some(&cgroup), &[how, hook, &caller, "memfd_create"]);
    container.start();
    let recording = container.finish();
    assert_nothing_left();
    assert_complete(&recording);
    recording
}

/// Every call is in its phase, whichever way the filter is installed; the workload is what strace sees of the command.
fn phases(how: &str, installs: &str) {
    let recording = run(how, "-");
    let setup: BTreeSet<_> = recording.syscalls(Phase::Setup).collect();
    assert_same(&setup, &calls(["getitimer", installs]));
    for name in ["eventfd2", "getpgid", "execve"] {
        assert!(made(&recording, Phase::RuntimeInit, name), "{name}");
    }
    for name in ["getitimer", installs, "memfd_create"] {
        assert!(!made(&recording, Phase::RuntimeInit, name), "{name}");
    }
    assert_same(&workload(&recording), &both(&[&tracee("caller"), "memfd_create"]).strace);
}

/// What the runtime runs in the place of init before the filter is somebody else's, also after its exec.
fn hook_in_setup() {
    let recording = run("seccomp", "hook");
    for name in ["msync", "fdatasync"] {
        assert!(recording.calls().keys().all(|call| call.name() != Some(name)), "{name}");
    }
    assert!(made(&recording, Phase::Setup, "wait4"), "init itself is recorded");
    assert!(made(&recording, Phase::RuntimeInit, "eventfd2"));
    assert!(made(&recording, Phase::Workload, "memfd_create"));
}

/// Two containers share an instance, which needs no process of ours and goes with the last of them.
fn finish_from_pins() {
    let arguments = ["prctl", "-", "/bin/cat"];
    let mut first = Container::create("first", None, &arguments);
    let programs = loaded();
    let mut second = Container::create("second", None, &arguments);
    assert!(programs > 0 && loaded() == programs, "the second joins: {programs}");
    first.start_cat();
    second.start_cat();
    let first = first.finish();
    assert_eq!(loaded(), programs, "one is still observed");
    let second = second.finish();
    assert_nothing_left();
    for recording in [first, second] {
        assert_complete(&recording);
        assert!(made(&recording, Phase::Workload, "read"));
    }
}
