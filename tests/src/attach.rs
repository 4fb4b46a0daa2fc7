//! Processes that run already, and `attach` to observe them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use seccomp_trace_core::Recording;

use crate::{Running, read_recording, scratch, seccomp_trace, tracee};

/// A process that is ready, and goes on when it is told.
#[derive(Debug)]
pub struct Tracee {
    child: Child,
    input: Option<ChildStdin>,
}

impl Tracee {
    /// Starts a tracee that says when it is ready.
    #[must_use]
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        Self::spawn(Command::new(tracee(name)).args(arguments))
    }

    /// The same of a command that becomes one.
    #[must_use]
    pub fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a tracee");
        let mut ready = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut ready).expect("a line");
        assert_eq!(ready, "ready\n");
        let input = child.stdin.take();
        Self { child, input }
    }

    /// Its process id, as an argument.
    #[must_use]
    pub fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// One of its threads that is not its first, as an argument.
    #[must_use]
    pub fn other_thread(&self) -> String {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).expect("its threads");
        let mut names =
            tasks.map(|task| task.expect("a thread").file_name().into_string().expect("a number"));
        names.find(|name| *name != self.pid()).expect("another thread")
    }

    /// Lets it go on; it must end with 0.
    pub fn go_on(&mut self) {
        if let Some(mut input) = self.input.take() {
            input.write_all(b"x").expect("it reads");
        }
        self.ends();
    }

    /// Lets one go on that waits for the end of its input.
    pub fn close_input(&mut self) {
        drop(self.input.take());
    }

    /// The same, and waits for its own end, which must be with 0.
    pub fn ends(&mut self) {
        self.close_input();
        assert!(self.child.wait().expect("a child of ours").success(), "it was harmed");
    }
}

impl Drop for Tracee {
    fn drop(&mut self) {
        drop((self.child.kill(), self.child.wait()));
    }
}

/// `attach` with these arguments, when it has attached.
#[must_use]
pub fn attached(arguments: &[&str]) -> Running {
    let attach = Running::start(Command::new(seccomp_trace()).arg("attach").args(arguments));
    attach.wait_for_error("attached");
    attach
}

/// The recording of `attach` with these arguments, while `meanwhile` is done; then it must end by itself.
#[must_use]
pub fn recorded_while(arguments: &[&str], meanwhile: impl FnOnce()) -> Recording {
    let folder = scratch();
    let file = folder.path().join("recording.json");
    let file_name = file.to_str().expect("UTF-8");
    let attach = attached(&[arguments, &["--recording", file_name]].concat());
    meanwhile();
    drop(attach.wait().success());
    read_recording(&file)
}

/// So many threads that do nothing, until the result is dropped: whoever goes through all tasks has some way to go.
#[must_use]
pub fn idle_threads(count: usize) -> Vec<std::sync::mpsc::Sender<()>> {
    let idle = || {
        let (sender, receiver) = std::sync::mpsc::channel::<()>();
        std::thread::Builder::new()
            .stack_size(16 << 10)
            .spawn(move || receiver.recv().is_ok())
            .expect("a thread");
        sender
    };
    std::iter::repeat_with(idle).take(count).collect()
}
