//! Processes that enter a container from outside.

use std::path::Path;
use std::process::Command;

use seccomp_trace_core::Phase;
use seccomp_trace_tests::finish;

use crate::Scenario::Trace;
use crate::cgroups::Hierarchy;
use crate::container::{Container, assert_complete, assert_nothing_left, made};
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("enter-by-cgroup-v2", Trace, || by_cgroup(Hierarchy::Unified, "move")),
    ("enter-by-clone3", Trace, || by_cgroup(Hierarchy::Unified, "clone3")),
    ("enter-by-cgroup-v1", Trace, || by_cgroup(Hierarchy::Pids, "move")),
    ("enter-by-filter", Trace, by_filter),
];

/// Enters by the tracee of that name and calls `name` there.
fn enter(how: &str, cgroup: &Path, namespace_of: u32, filter: &str, name: &str) {
    let caller = tracee("caller");
    let mut command = Command::new(tracee("enter"));
    command.arg(how).arg(cgroup).args([&namespace_of.to_string(), filter, &caller, name]);
    drop(finish(&mut command).success());
}

/// Cgroup and mount namespace together tell who belongs to a container; one of them alone does not.
fn by_cgroup(hierarchy: Hierarchy, how: &str) {
    let cgroup = hierarchy.cgroup("entered");
    let mut container = Container::create("entered", Some(&cgroup), &["prctl", "-", "/bin/cat"]);
    container.start_cat();
    enter(how, cgroup.path(), container.pid(), "seccomp", "inotify_init1");
    // In the cgroup, and not in the namespace.
    enter(how, cgroup.path(), 0, "none", "timerfd_create");
    // In the namespace, and not in the cgroup.
    enter("stay", cgroup.path(), container.pid(), "seccomp", "memfd_create");
    let recording = container.finish();
    drop(cgroup);
    assert_nothing_left();
    assert_complete(&recording);
    let workload = |name| made(&recording, Phase::Workload, name);
    assert!(workload("inotify_init1"), "what entered is recorded");
    assert!(!workload("timerfd_create"), "it was in another mount namespace");
    assert!(!workload("memfd_create"), "it was in another cgroup");
    assert!(made(&recording, Phase::Setup, "getpriority"), "from before its filter on");
    assert!(made(&recording, Phase::RuntimeInit, "mincore"), "and under it");
}

/// A container without a cgroup of its own: whoever is in its namespace and has a filter belongs to it.
fn by_filter() {
    let mut container = Container::create("entered", None, &["prctl", "-", "/bin/cat"]);
    container.start_cat();
    enter("stay", Path::new("-"), container.pid(), "seccomp", "inotify_init1");
    enter("stay", Path::new("-"), container.pid(), "none", "timerfd_create");
    enter("stay", Path::new("-"), 0, "seccomp", "memfd_create");
    let recording = container.finish();
    assert_nothing_left();
    assert_complete(&recording);
    let workload = |name| made(&recording, Phase::Workload, name);
    assert!(workload("inotify_init1") && !workload("timerfd_create") && !workload("memfd_create"));
}
