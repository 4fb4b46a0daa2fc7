//! Without privileges the command is not started; with the two that tracing needs, root is not needed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{
    Finished, calls, copy_programs, finish, privileged, read_recording, root, scratch, seccomp_trace,
    workload,
};

const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];

/// A folder that nobody can write, with a copy of the program: the original may lie where only root can go.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = scratch();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))
            .expect("the mode of a folder of ours");
        copy_programs(&[seccomp_trace()], folder.path());
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs a command that leaves a mark, through `seccomp-trace run`, with what `setpriv` leaves of root.
    fn run(&self, setpriv: &[&str]) -> Finished {
        let mut command = Command::new(if root() { "setpriv" } else { "./seccomp-trace" });
        command.current_dir(self.path());
        if root() {
            command.args(setpriv).arg("./seccomp-trace");
        }
        finish(command.args(["run", "--recording", "recording.json", "--", "sh", "-c", "umask 0; : >mark"]))
    }

    fn marked(&self) -> bool {
        self.path().join("mark").exists()
    }
}

fn refused(place: &Place, finished: &Finished, missing: &[&str]) {
    assert_eq!(finished.code(), 125, "{finished:?}");
    for capability in missing {
        assert!(finished.stderr.contains(capability), "{capability} is not named: {}", finished.stderr);
    }
    assert!(
        finished.stderr.contains("sudo") || finished.stderr.contains("root"),
        "no remedy: {}",
        finished.stderr
    );
    assert!(!place.marked(), "the command was started");
    assert!(!place.path().join("recording.json").exists(), "a recording of nothing was written");
}

/// Runs everywhere: without root, as whoever runs the tests.
#[test]
fn without_privileges_both_capabilities_and_a_remedy_are_named() {
    let place = Place::new();
    refused(&place, &place.run(&NOBODY), &["CAP_BPF", "CAP_PERFMON"]);
}

#[test]
fn root_without_the_capabilities_is_refused_like_anybody() {
    privileged!();
    let place = Place::new();
    refused(&place, &place.run(&["--bounding-set=-all", "--inh-caps=-all"]), &["CAP_BPF", "CAP_PERFMON"]);
}

#[test]
fn one_of_the_two_capabilities_is_not_enough() {
    privileged!();
    for (given, missing) in [("+bpf", "CAP_PERFMON"), ("+perfmon", "CAP_BPF")] {
        let place = Place::new();
        let inherited = format!("--inh-caps=-all,{given}");
        let ambient = format!("--ambient-caps=-all,{given}");
        let finished = place.run(&[&NOBODY[..], &[&inherited, &ambient]].concat());
        refused(&place, &finished, &[missing]);
    }
}

#[test]
fn cap_bpf_and_cap_perfmon_are_enough() {
    privileged!();
    let place = Place::new();
    let finished = place.run(
        &[&NOBODY[..], &["--inh-caps=-all,+bpf,+perfmon", "--ambient-caps=-all,+bpf,+perfmon"]].concat(),
    );
    drop(finished.success());
    assert!(place.marked());
    let recorded = workload(&read_recording(&place.path().join("recording.json")));
    assert!(recorded.is_superset(&calls(["umask", "exit_group"])), "{recorded:?}");
}
