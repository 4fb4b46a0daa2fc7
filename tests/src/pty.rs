//! A terminal, and a program in its foreground.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::DEADLINE;
use crate::{pause, wait_until};

/// A pseudo-terminal whose session is led by a program; what it prints is collected.
#[derive(Debug)]
pub struct Terminal {
    keyboard: File,
    screen: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    child: Child,
    seen: usize,
    reaped: bool,
}

impl Terminal {
    /// Opens a terminal and starts `program` in it, as the leader of a new session whose terminal it is.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str]) -> Self {
        let pty = openpty(None, None).expect("a pseudo-terminal");
        let slave = || pty.slave.try_clone().expect("a copy of the terminal");
        // util-linux's setsid makes its standard input the controlling terminal, and execs.
        let child = Command::new("setsid")
            .args(["--ctty", program])
            .args(arguments)
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("cannot start setsid (util-linux)");
        drop(pty.slave);
        let screen = Arc::new(Mutex::new(String::new()));
        let reader = collect(pty.master.try_clone().expect("a copy of the terminal"), Arc::clone(&screen));
        Self { keyboard: File::from(pty.master), screen, reader: Some(reader), child, seen: 0, reaped: false }
    }

    /// Types `keys`: `\x03` is ^C, `\x1a` is ^Z.
    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typing into a terminal");
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        kill(pid, signal).expect("sending a signal to a child of ours");
    }

    /// Waits until the program has printed `text`, later than what was waited for before.
    pub fn expect(&mut self, text: &str) {
        let seen = self.seen;
        let started = Instant::now();
        let found = loop {
            if let Some(found) = self.shown()[seen..].find(text) {
                break found;
            }
            assert!(
                started.elapsed() < DEADLINE,
                "waited for {text:?} on a terminal that shows {:?}",
                self.shown()
            );
            pause(5);
        };
        self.seen = seen + found + text.len();
    }

    /// Everything that was printed so far.
    #[must_use]
    pub fn shown(&self) -> String {
        self.screen.lock().expect("the reader does not panic").clone()
    }

    /// Waits for the program's end; gives its status and everything that was printed.
    #[must_use]
    pub fn wait(mut self) -> (ExitStatus, String) {
        let mut status = None;
        wait_until("the end of the program in the terminal", || {
            status = self.child.try_wait().expect("waiting for a child of ours");
            status.is_some()
        });
        self.reaped = true;
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        (status.expect("it has ended"), self.shown())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.reaped {
            // The end of a session's leader hangs up the terminal for the rest of it.
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}

fn collect(master: OwnedFd, screen: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut master = File::from(master);
        let mut buffer = [0; 4096];
        // Reading fails with EIO when the last program has closed the terminal.
        while let Ok(length @ 1..) = master.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            screen.lock().expect("the owner does not panic with the lock").push_str(&text);
        }
    })
}
