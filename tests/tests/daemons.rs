//! How long a recording lasts: until the last descendant has ended, unless told otherwise.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seccomp_trace_tests::{
    Finished, Running, calls, finish, privileged, read_recording, scratch, seccomp_trace, tracee, wait_until,
    workload,
};

/// A daemon that lives until this is dropped.
struct Held {
    file: PathBuf,
}

impl Held {
    fn new(folder: &Path) -> Self {
        let file = folder.join("hold");
        std::fs::write(&file, "").expect("a file in a folder of ours");
        Self { file }
    }

    /// The daemon's pid, which the file holds before the command ends.
    fn daemon(&self) -> Pid {
        let mut pid = None;
        wait_until("the daemon's pid", || {
            pid = std::fs::read_to_string(&self.file)
                .ok()
                .and_then(|text| text.strip_suffix('\n')?.parse().ok());
            pid.is_some()
        });
        Pid::from_raw(pid.expect("it was found"))
    }

    fn arguments(&self) -> [String; 2] {
        [tracee("daemon"), self.file.display().to_string()]
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.file));
    }
}

fn alive(pid: Pid) -> bool {
    kill(pid, None).is_ok()
}

fn lines(finished: &Finished) -> String {
    format!("{}{}", finished.stdout, finished.stderr)
}

/// As `strace -f` does: the daemon makes its own calls only after the command has gone.
#[test]
fn a_recording_lasts_until_the_last_descendant_has_ended() {
    privileged!();
    let (recorded, _) = seccomp_trace_tests::recorded(&[&tracee("daemon")]);
    assert!(recorded.is_superset(&calls(["timerfd_create", "inotify_init1"])), "{recorded:?}");
}

#[test]
fn no_wait_ends_with_the_command() {
    privileged!();
    let folder = scratch();
    let held = Held::new(folder.path());
    let file = folder.path().join("recording.json");
    let finished = finish(
        Command::new(seccomp_trace())
            .args(["run", "-q", "--no-wait", "--recording"])
            .arg(&file)
            .arg("--")
            .args(held.arguments()),
    )
    .success();
    assert!(alive(held.daemon()), "the daemon was not left alone: {}", lines(&finished));
    let recorded = workload(&read_recording(&file));
    assert!(recorded.is_superset(&calls(["setsid"])));
    assert!(recorded.is_disjoint(&calls(["timerfd_create", "inotify_init1"])), "{recorded:?}");
}

/// The command has ended with 0 and a daemon lives on: INT and TERM mean "that is enough".
#[test]
fn int_or_term_ends_the_recording_and_leaves_the_daemon_alone() {
    privileged!();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let folder = scratch();
        let held = Held::new(folder.path());
        let profile = folder.path().join("profile.json");
        let file = folder.path().join("recording.json");
        let run = Running::start(
            Command::new(seccomp_trace())
                .args(["run", "--recording"])
                .arg(&file)
                .arg("-o")
                .arg(&profile)
                .arg("--")
                .args(held.arguments()),
        );
        let daemon = held.daemon();
        // The pid is written just before the command ends; a signal that comes sooner is the command's.
        wait_until("the end of the command", || !has_command(run.pid()));
        run.signal(signal);
        let finished = run.wait().success();
        assert!(alive(daemon), "{signal}: the daemon was not left alone: {}", lines(&finished));
        assert!(profile.exists(), "{signal}: {}", lines(&finished));
        let recorded = workload(&read_recording(&file));
        assert!(recorded.is_superset(&calls(["setsid"])));
        assert!(recorded.is_disjoint(&calls(["timerfd_create", "inotify_init1"])), "{recorded:?}");
        assert!(!finished.stderr.is_empty(), "{signal}: it says that processes were left running");
    }
}

/// Whether a process has a child, or a dead one that it has not waited for.
fn has_command(pid: Pid) -> bool {
    let parent = |stat: String| stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<i32>().ok();
    std::fs::read_dir("/proc").expect("/proc").flatten().any(|process| {
        std::fs::read_to_string(process.path().join("stat")).ok().and_then(parent) == Some(pid.as_raw())
    })
}
