//! A process that behaves as a container's init, observed as a hook would: by a process that is gone before the
//! container starts.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use seccomp_trace_bpf::shared::{ContainerSpec, Finished, SharedDir};
use seccomp_trace_core::{Phase, Recording, Tgid};
use seccomp_trace_tests::{finish, wait_until};

use crate::cgroups::Cgroup;
use crate::tracee;

/// Where the instance's files are.
pub(crate) const DIRECTORY: &str = "/run/kernel-tests";

/// What the hook does.
pub(crate) fn observe(directory: &str, id: &str, pid: &str) {
    let spec = ContainerSpec::new(id, "/bundle", Tgid(pid.parse().expect("a pid")));
    SharedDir::new(directory).observe(spec).unwrap_or_else(|error| panic!("{error}"));
}

/// A container whose init was observed before it did anything.
#[derive(Debug)]
pub(crate) struct Container {
    id: &'static str,
    init: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Container {
    /// Starts init up to where it waits for its hooks, in a cgroup or in that of its runtime, and observes it.
    /// `init` are the arguments of the tracee of that name.
    pub(crate) fn create(id: &'static str, cgroup: Option<&Cgroup>, init: &[&str]) -> Self {
        let mut init = Command::new(tracee("init"))
            .args(init)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a tracee");
        let stdout = BufReader::new(init.stdout.take().expect("piped"));
        let mut container = Self { id, stdin: init.stdin.take(), stdout, init };
        assert_eq!(container.line(), "ready\n");
        if let Some(cgroup) = cgroup {
            cgroup.take_in(container.pid());
        }
        let hook = ["observe", DIRECTORY, id, &container.pid().to_string()];
        let program = std::env::current_exe().expect("this program");
        drop(finish(Command::new(program).args(hook)).success());
        container
    }

    /// The pid of its init.
    pub(crate) fn pid(&self) -> u32 {
        self.init.id()
    }

    /// Lets init go on.
    pub(crate) fn start(&mut self) {
        self.write(b"x");
    }

    /// Starts a container that executes `cat`, and waits until it has.
    pub(crate) fn start_cat(&mut self) {
        self.write(b"xhello\n");
        assert_eq!(self.line(), "hello\n");
    }

    /// Waits for the end of init, finishes the recording from the pins, and gives it.
    pub(crate) fn finish(mut self) -> Recording {
        drop(self.stdin.take());
        assert!(self.init.wait().expect("a child of ours").success());
        let targets = SharedDir::new(DIRECTORY).survey().unwrap_or_else(|error| panic!("{error}")).targets;
        let target =
            targets.into_iter().find(|target| target.container().id == self.id).expect("under observation");
        match target
            .finish(|recording, _| Ok::<_, ()>(recording.clone()))
            .unwrap_or_else(|error| panic!("{error}"))
        {
            Finished::Done(recording) => recording,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().expect("not finished").write_all(bytes).expect("it reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("text");
        line
    }
}

/// How many of our programs are in the kernel.
pub(crate) fn loaded() -> usize {
    finish(&mut Command::new(tracee("loaded"))).success().stdout.trim().parse().expect("a number")
}

/// Nothing was lost. Judged after the clean-up, so that the next test begins as this one did.
pub(crate) fn assert_complete(recording: &Recording) {
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
}

/// No file, pin or program is left. The kernel takes a moment to free programs.
pub(crate) fn assert_nothing_left() {
    assert!(!Path::new(DIRECTORY).exists());
    let pins = fs::read_dir("/sys/fs/bpf").expect("the bpf file system").flatten();
    let ours: Vec<_> =
        pins.filter(|pin| pin.file_name().to_string_lossy().starts_with("seccomp-trace-")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    wait_until("the programs to be freed", || loaded() == 0);
}

/// Whether a call was recorded in a phase.
pub(crate) fn made(recording: &Recording, phase: Phase, name: &str) -> bool {
    recording.syscalls(phase).any(|call| call.name() == Some(name))
}
