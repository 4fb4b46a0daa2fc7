//! Processes with a deadline: a test that hangs says what it was waiting for.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
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
    stdout: Lines,
    stderr: Lines,
    what: String,
    reaped: bool,
}

impl Running {
    /// Starts it, with both outputs read here.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let what = format!("{command:?}");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {what}: {error}"));
        let stdout = lines(child.stdout.take().expect("piped"));
        let stderr = lines(child.stderr.take().expect("piped"));
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

    /// Stops it, and returns when it is stopped, or has ended.
    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
        wait_until(&format!("the stop of {}", self.what), || {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap_or_default();
            let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
            matches!(state, Some('T' | 'Z'))
        });
    }

    /// Sends a signal to its whole process group.
    pub fn signal_group(&self, signal: Signal) {
        killpg(self.pid(), signal)
            .unwrap_or_else(|error| panic!("cannot send {signal} to the group of {}: {error}", self.what));
    }

    /// The next line of its standard output; panics at the end of it, and after the deadline.
    #[must_use]
    pub fn line(&self) -> String {
        match next(&self.stdout) {
            Ok(line) => line.trim_end().to_owned(),
            Err(error) => panic!("no further line from {}: {error}", self.what),
        }
    }

    /// Waits for a line of its standard error that holds a text; panics at the end of it, and after the deadline.
    pub fn wait_for_error(&self, text: &str) {
        loop {
            match next(&self.stderr) {
                Ok(line) if line.contains(text) => return,
                Ok(_) => {}
                Err(error) => panic!("{} has not said {text:?}: {error}", self.what),
            }
        }
    }

    /// Waits for its end, and gives what it printed since the last [`line`](Self::line).
    #[must_use]
    pub fn wait(mut self) -> Finished {
        wait_until(&format!("the end of {}", self.what), || self.ended());
        let (stdout, stderr) = (self.rest(&self.stdout), self.rest(&self.stderr));
        let status = self.child.wait().expect("waiting for a child of ours");
        self.reaped = true;
        Finished { pid: self.child.id(), status, stdout, stderr }
    }

    /// Whether it has ended. It stays a zombie, so that its number, and its group's, cannot become another's.
    fn ended(&self) -> bool {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(self.pid()), flags).expect("waiting for a child of ours") != WaitStatus::StillAlive
    }

    fn rest(&self, lines: &Lines) -> String {
        let mut text = String::new();
        loop {
            match next(lines) {
                Ok(line) => text.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => return text,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{} has ended, but somebody still holds its output: {text}", self.what)
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Once waited for, the number may belong to somebody else.
        if !self.reaped {
            let _ = killpg(self.pid(), Signal::SIGKILL);
            drop(self.child.wait());
        }
    }
}

/// Lines that come, for whichever thread asks.
type Lines = Mutex<Receiver<String>>;

/// The next line, once it is there.
fn next(lines: &Lines) -> Result<String, RecvTimeoutError> {
    lines.lock().expect("nobody panics while it waits for a line").recv_timeout(DEADLINE)
}

/// The lines of a pipe, each with its end, bytes that are no text replaced; disconnected at the pipe's end.
fn lines(pipe: impl Read + Send + 'static) -> Lines {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
    Mutex::new(receiver)
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
