//! `attach --cgroup`: whoever is in it, was born in it, or enters it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use seccomp_trace_tests::attach::{Tracee, attached, idle_threads, recorded_while};
use seccomp_trace_tests::{
    Running, calls, full, harmless, privileged, read_recording, say, scratch, seccomp_trace, tracee,
    wait_until, workload,
};

/// A cgroup of our own, removed with those below it once nobody is in them.
struct Cgroup(PathBuf);

impl Cgroup {
    /// One in each hierarchy of this machine that can be observed.
    fn each(name: &str) -> Vec<Self> {
        let mountinfo = fs::read_to_string("/proc/self/mountinfo").expect("the kernel's own file");
        let roots = mountinfo.lines().filter_map(|line| {
            let (mount, kind) = line.split_once(" - ")?;
            let wanted =
                kind.starts_with("cgroup2 ") || (kind.starts_with("cgroup ") && kind.contains("pids"));
            wanted.then(|| PathBuf::from(mount.split(' ').nth(4).expect("a mount point")))
        });
        let made: Vec<_> = roots
            .filter_map(|root| {
                let path = root.join(format!("seccomp-trace-test-{name}-{}", std::process::id()));
                fs::create_dir(&path).ok().map(|()| Self(path))
            })
            .collect();
        if made.is_empty() {
            say("left out: no cgroup can be made here");
        }
        made
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    fn below(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir(&path).expect("a cgroup below ours");
        path
    }

    fn add(&self, pid: &str) {
        move_to(&self.0, pid);
    }
}

fn move_to(cgroup: &Path, pid: &str) {
    fs::write(cgroup.join("cgroup.procs"), pid)
        .unwrap_or_else(|error| panic!("{}: {error}", cgroup.display()));
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let below = fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in below.filter(|path| path.is_dir()).chain([self.0.clone()]) {
            if !std::thread::panicking() {
                wait_until("the end of those in a cgroup", || fs::remove_dir(&path).is_ok());
            }
        }
    }
}

/// A shell that waits for a line, and then becomes a caller of `call`.
fn shell(call: &str) -> std::process::Child {
    let mut command = Command::new("sh");
    command.args(["-c", "read line; exec \"$0\" \"$1\"", &tracee("caller"), call]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("sh")
}

fn go_on(shell: &mut std::process::Child) {
    drop(shell.stdin.take());
    // `read` fails at the end of input, and the shell goes on.
    assert!(shell.wait().expect("a child of ours").success(), "it was harmed");
}

#[test]
fn who_is_in_the_cgroup_or_below_it_is_recorded_and_nobody_else() {
    privileged!();
    for cgroup in Cgroup::each("members") {
        let below = cgroup.below("below");
        let (mut inside, mut deeper, mut outside) = (shell("getitimer"), shell("msync"), shell("eventfd2"));
        cgroup.add(&inside.id().to_string());
        move_to(&below, &deeper.id().to_string());
        let recording = recorded_while(&["--cgroup", cgroup.path()], || {
            for shell in [&mut outside, &mut inside, &mut deeper] {
                go_on(shell);
            }
        });
        let seen = workload(&recording);
        assert!(calls(["getitimer", "msync"]).is_subset(&seen), "{}: {seen:?}", cgroup.path());
        assert!(calls(["eventfd2"]).is_disjoint(&seen), "{}: {seen:?}", cgroup.path());
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
    }
}

/// A service manager moves what it starts. Nobody is there when observation begins.
#[test]
fn who_enters_later_is_recorded_and_the_last_to_leave_ends_it() {
    privileged!();
    for cgroup in Cgroup::each("enters") {
        let mut enters = shell("getitimer");
        let recording = recorded_while(&["--cgroup", cgroup.path()], || {
            cgroup.add(&enters.id().to_string());
            go_on(&mut enters);
        });
        assert!(calls(["getitimer"]).is_subset(&workload(&recording)), "{recording:?}");
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
    }
}

/// Only its leader is met when it is moved; the others are walked for, and it is said that this takes a moment.
#[test]
fn all_threads_of_a_process_that_is_moved_are_found_and_the_moment_is_told() {
    privileged!();
    for cgroup in Cgroup::each("threads") {
        let folder = scratch();
        let file = folder.path().join("recording.json");
        let mut swarm = Tracee::start("swarm", &["10"]);
        let attach = attached(&["--cgroup", cgroup.path(), "--recording", file.to_str().expect("UTF-8")]);
        cgroup.add(&swarm.pid());
        // What the moved process's threads make now and never again would be missed, so it waits until they are found.
        wait_until("the threads", || {
            attach.signal(nix::sys::signal::Signal::SIGUSR1);
            attach.wait_for_error("so far");
            workload(&read_recording(&file)).is_superset(&calls(["clone3", "wait4"]))
        });
        swarm.go_on();
        let finished = attach.wait().success();
        assert!(finished.stderr.contains("possibly incomplete"), "{finished:?}");
        let seen = workload(&read_recording(&file));
        assert!(calls(harmless().into_iter().take(10)).is_subset(&seen), "{seen:?}");
    }
}

/// Nobody takes the links of the chain over, so only the cgroup tells whose they are.
#[test]
fn a_chain_of_orphans_is_recorded_where_its_cgroup_is_given() {
    privileged!();
    let _idle = idle_threads(8000);
    for cgroup in Cgroup::each("chain") {
        for _ in 0..if full() { 30 } else { 2 } {
            let mut command = Command::new("sh");
            let script = "echo 0 > \"$0/cgroup.procs\" && exec \"$1\" orphans";
            command.args(["-c", script, cgroup.path(), &tracee("chain")]);
            let mut chain = Tracee::spawn(&mut command);
            let recording = recorded_while(&["--cgroup", cgroup.path()], || chain.ends());
            let missed: Vec<_> = calls(harmless()).difference(&workload(&recording)).copied().collect();
            assert!(missed.is_empty(), "{}: missed: {missed:?}", cgroup.path());
            assert!(recording.losses().is_none(), "{:?}", recording.losses());
        }
    }
}

/// Both of systemd's ways to name a cgroup: `/a.slice/b.service` and without the slash.
#[test]
fn a_cgroup_is_known_by_its_name_in_its_hierarchy() {
    privileged!();
    for cgroup in Cgroup::each("name") {
        let name = cgroup.0.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        for name in [format!("/{name}"), name] {
            let finished = Running::start(Command::new(seccomp_trace()).args([
                "attach",
                "--cgroup",
                &name,
                "--max-time",
                "0",
            ]))
            .wait();
            assert_eq!(finished.code(), 0, "{finished:?}");
        }
    }
}
