//! What several tests need.
#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};

use seccomp_trace_core::{
    Arch, Armed, Container, Ended, Host, Losses, Observation, Phase, Recording, Run, RunId, Runtime, Syscall,
    Timestamp,
};

/// A file of this crate's tests.
pub(crate) fn fixture(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).unwrap()
}

/// The handwritten profiles, which cover every field.
pub(crate) const FIXTURES: [&str; 3] =
    ["fixtures/every-field.json", "fixtures/old-form.json", "fixtures/engine-default.json"];

/// The default profiles of real engines that are on this machine: the project's test data, and what a package
/// has installed. Says on standard output which are missing.
pub(crate) fn real_profiles() -> Vec<(PathBuf, String)> {
    let data = std::env::var_os("SECCOMP_TRACE_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let candidates = [
        data.join("containers-common/seccomp.json"),
        data.join("moby/default.json"),
        data.join("moby/default-old-format.json"),
        PathBuf::from("/usr/share/containers/seccomp.json"),
    ];
    let mut found = Vec::new();
    for path in candidates {
        match std::fs::read_to_string(&path) {
            Ok(text) => found.push((path, text)),
            Err(error) => println!("left out: {} ({error})", path.display()),
        }
    }
    found
}

/// The call of this name.
pub(crate) fn call(arch: Arch, name: &str) -> Syscall {
    Syscall::from_name(arch, name).unwrap_or_else(|| panic!("{arch} has no {name}"))
}

/// A run on a machine of this kind; with a runtime's name, of a container.
pub(crate) fn run(arch: Arch, runtime: Option<&str>) -> Recording {
    let run = Run {
        tool: "test".to_owned(),
        host: Host { kernel: "6.1.0".to_owned(), arch },
        runtime: runtime.map(|name| Runtime { name: name.to_owned(), version: None }),
        container: runtime.map(|_| Container { id: "c0ffee".to_owned(), image: None }),
        command: None,
        started: Timestamp::from_unix_nanos(0),
        until: Timestamp::from_unix_nanos(1),
        armed: Armed::BeforeExec,
        ended: Ended::TargetEnded,
        processes: 1,
        losses: Losses::default(),
    };
    Recording::of_run(RunId(format!("{arch} {runtime:?}")), run)
}

/// Adds calls by name.
pub(crate) fn observe(recording: &mut Recording, arch: Arch, phase: Phase, names: &[&str]) {
    for name in names {
        recording.observe(call(arch, name), phase, Observation::default());
    }
}
