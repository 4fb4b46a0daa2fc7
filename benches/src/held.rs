//! A process that waits before it executes its program, as a container's init waits for its hooks.

use std::ffi::OsString;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

/// Waits for the end of its input, then executes its program. Killed when it is dropped.
#[derive(Debug)]
pub struct Held(Child);

impl Held {
    /// Starts it; it waits.
    ///
    /// # Errors
    /// There is no shell.
    pub fn start(line: &[OsString]) -> anyhow::Result<Self> {
        let child = Command::new("sh")
            .args(["-c", "read -r line; exec \"$@\"", "sh"])
            .args(line)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start sh")?;
        Ok(Self(child))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Lets it go.
    pub fn release(&mut self) {
        drop(self.0.stdin.take());
    }

    /// Lets it go and waits for its end.
    ///
    /// # Errors
    /// It failed.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        self.release();
        let status = self.0.wait().context("cannot wait for a process")?;
        anyhow::ensure!(status.success(), "a held process ended with {status}");
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
