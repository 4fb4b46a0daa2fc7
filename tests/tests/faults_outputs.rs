//! The place of the output is full, became read-only, or is gone when `run` and `attach` write: the old profile stays as it
//! was, nothing half is left beside it, and what was recorded is kept elsewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::Pid;
use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::orphan::{Orphan, RARE};
use seccomp_trace_tests::{
    Finished, OLD_PROFILE, Running, calls, finish, harmless, privileged, read_recording, scratch,
    seccomp_trace, workload,
};

/// How the place is spoiled while somebody is traced into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Full,
    ReadOnly,
    Gone,
}

impl How {
    const ALL: [Self; 3] = [Self::Full, Self::ReadOnly, Self::Gone];

    fn why(self) -> &'static str {
        match self {
            Self::Full => "No space left on device",
            Self::ReadOnly => "Read-only file system",
            Self::Gone => "No such file or directory",
        }
    }
}

/// A small file system at `place`, in the mount namespace of the tracer alone.
struct Place {
    folder: tempfile::TempDir,
    place: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = scratch();
        let place = folder.path().join("place");
        fs::create_dir(&place).expect("a folder in a folder of ours");
        fs::create_dir(folder.path().join("tmp")).expect("a folder in a folder of ours");
        Self { folder, place }
    }

    /// The program under test, with its output in the place.
    fn tracer(&self, subcommand: &str) -> Command {
        let script = r#"mount -t tmpfs -o size=64k,nr_inodes=16 none "$0" && mkdir "$0/sub" &&
            printf %s "$OLD" >"$0/sub/p.json" && exec "$@""#;
        let mut tracer = Command::new("unshare");
        tracer.args(["--mount", "--propagation", "private", "sh", "-c", script]).arg(&self.place);
        tracer.env("OLD", OLD_PROFILE).env("TMPDIR", self.folder.path().join("tmp"));
        tracer.arg(seccomp_trace()).args([subcommand, "-o"]).arg(self.place.join("sub/p.json"));
        tracer
    }

    /// The place as this process sees it, while the tracer lives.
    fn outside(&self, tracer: Pid) -> PathBuf {
        let place = self.place.strip_prefix("/").expect("absolute");
        Path::new("/proc").join(tracer.to_string()).join("root").join(place)
    }

    fn spoil(&self, tracer: Pid, how: How) {
        let outside = self.outside(tracer);
        match how {
            How::Full => {
                let error = fs::write(outside.join("filler"), vec![b'x'; 1 << 20]).expect_err("it is small");
                assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
            }
            How::ReadOnly => {
                let mut mount = Command::new("nsenter");
                mount.args(["--mount", &format!("--target={tracer}"), "--"]);
                let _ = finish(mount.args(["mount", "-o", "remount,ro"]).arg(&self.place)).success();
            }
            How::Gone => fs::remove_dir_all(outside.join("sub")).expect("a folder of ours"),
        }
    }

    /// What must be left when the tracer has ended: `outside` was opened before.
    fn untouched(&self, outside: &fs::File, how: How) {
        let sub = PathBuf::from(format!("/proc/self/fd/{}/sub", std::os::fd::AsRawFd::as_raw_fd(outside)));
        if how == How::Gone {
            assert!(!sub.exists(), "nobody asked for it to be made anew");
            return;
        }
        let names: Vec<_> = fs::read_dir(&sub)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        assert_eq!(names, ["p.json"], "{how:?}");
        assert_eq!(fs::read_to_string(sub.join("p.json")).expect("the old profile"), OLD_PROFILE, "{how:?}");
    }

    /// The one recording that was kept, which the tracer's last words name.
    fn kept(&self, finished: &Finished, how: How) -> seccomp_trace_core::Recording {
        assert!(finished.stderr.contains(how.why()), "{how:?}: {finished:?}");
        let kept: Vec<_> = fs::read_dir(self.folder.path().join("tmp"))
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        let [kept] = &kept[..] else { panic!("{how:?}: not one was kept: {kept:?} {finished:?}") };
        assert!(finished.stderr.contains(kept.to_str().expect("UTF-8")), "{how:?}: {finished:?}");
        read_recording(kept)
    }
}

#[test]
fn a_spoiled_place_costs_a_run_its_new_profile_alone() {
    privileged!();
    for how in How::ALL {
        let place = Place::new();
        let mut orphan = Orphan::new(place.folder.path(), "orphan");
        let running = Running::start(place.tracer("run").arg("--").args(orphan.words()));
        orphan.wait_until_up(&running);
        let outside = fs::File::open(place.outside(running.pid())).expect("a folder of ours");
        place.spoil(running.pid(), how);
        orphan.go_on();
        let finished = running.wait();
        assert!(orphan.ran(&finished) && finished.code() == 7, "{how:?}: {finished:?}");
        assert!(workload(&place.kept(&finished, how)).is_superset(&calls(RARE)));
        place.untouched(&outside, how);
    }
}

#[test]
fn a_spoiled_place_costs_an_attach_its_new_profile_alone() {
    privileged!();
    for how in How::ALL {
        let place = Place::new();
        let mut swarm = Tracee::start("swarm", &["100"]);
        let running = Running::start(place.tracer("attach").args(["-p", &swarm.pid()]));
        running.wait_for_error("attached");
        let outside = fs::File::open(place.outside(running.pid())).expect("a folder of ours");
        place.spoil(running.pid(), how);
        swarm.go_on();
        let finished = running.wait();
        assert!(!finished.status.success(), "{how:?}: {finished:?}");
        let kept = place.kept(&finished, how);
        let missed = &calls(harmless()) - &workload(&kept);
        assert!(missed.is_empty() || !kept.losses().is_none(), "{how:?}: {missed:?}");
        place.untouched(&outside, how);
    }
}

/// Who writes more than `RLIMIT_FSIZE` allows is sent a signal that ends it; it was sent to us and is not the command's.
#[test]
fn a_file_size_limit_is_told_and_reaches_no_command() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("p.json");
    let script = "trap 'echo signalled; exit 1' XFSZ; sleep 0.3; exit 0";
    for verb in ["run", "trace"] {
        let mut command = Command::new("sh");
        command.args(["-c", r#"ulimit -f 0; exec "$@""#, "sh"]).arg(seccomp_trace()).arg(verb);
        command.arg("-o").arg(&output).args(["--", "sh", "-c", script]);
        let finished = finish(command.env("TMPDIR", folder.path()));
        assert_eq!((finished.code(), finished.stdout.as_str()), (125, ""), "{verb}: {finished:?}");
        assert!(finished.stderr.contains("File too large"), "{verb}: {finished:?}");
    }
}
