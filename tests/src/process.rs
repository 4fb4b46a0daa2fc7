//! Processes with a deadline: a test that hangs says what it was waiting for.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// Longer than anything takes on a busy machine; only a hang reaches it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// A process that has ended, and what it printed.
#[derive(Debug)]
pub struct Finished {
    /// Its pid, which was also its process group.
    pub pid: u32,
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed on standard output, bytes that are no text replaced.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Finished {
    /// The exit code; panics with the output where a signal ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self:#?}"))
    }

    /// The signal that ended it, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Panics with the output unless it ended with 0.
    #[must_use]
    pub fn success(self) -> Self {
        assert!(self.status.success(), "{self:#?}");
        self
    }
}

/// A running process in a process group of its own, killed with its group when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<String>>,
    what: String,
    reaped: bool,
}

impl Running {
    /// Starts it. Standard input is empty unless `command` has another.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = child.stderr.take().map(|mut pipe| std::thread::spawn(move || text(&mut pipe)));
        Self { child, stdout, stderr, what, reaped: false }
    }

    /// Its pid, which is also its process group.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"))
    }

    /// Sends a signal to it alone.
    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal)
            .unwrap_or_else(|error| panic!("cannot send {signal} to {}: {error}", self.what));
    }

    /// Sends a signal to its whole process group.
    pub fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal)
            .unwrap_or_else(|error| panic!("cannot send {signal} to the group of {}: {error}", self.what));
    }

    /// The next line of its standard output; panics at the end of it.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let length = self.stdout.as_mut().expect("piped").read_line(&mut line).expect("it is text");
        assert!(length > 0, "{} closed its standard output", self.what);
        line.trim_end().to_owned()
    }

    /// Waits for its end, and gives what it printed since the last [`line`](Self::line).
    #[must_use]
    pub fn wait(mut self) -> Finished {
        let pid = self.child.id();
        // In threads, so that a descendant which keeps the pipe open cannot hide that the process itself hangs.
        let stdout = self.stdout.take().map(|mut pipe| std::thread::spawn(move || text(&mut pipe)));
        let mut status = None;
        wait_until(&format!("the end of {}", self.what), || {
            status = self.child.try_wait().expect("waiting for a child of ours");
            status.is_some()
        });
        self.reaped = true;
        let join = |reader: Option<JoinHandle<String>>| reader.expect("piped").join().expect("a reader");
        Finished {
            pid,
            status: status.expect("it has ended"),
            stdout: join(stdout),
            stderr: join(self.stderr.take()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once reaped, the number may belong to somebody else.
        if !self.reaped {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            drop(self.child.wait());
        }
    }
}

fn text(from: &mut dyn Read) -> String {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).expect("reading from a pipe");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a command to its end, with an empty standard input unless it is started through a shell that says otherwise.
#[must_use]
pub fn finish(command: &mut Command) -> Finished {
    Running::start(command.stdin(Stdio::null())).wait()
}

/// Waits until `holds`, or panics with `what` after the deadline.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < DEADLINE, "waited {DEADLINE:?} for {what}");
        pause(5);
    }
}

/// Sleeps for so many milliseconds.
pub fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
