//! What the benchmarks share: finding the program, running a command with its peak memory, medians.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use nix::libc;
use nix::time::{ClockId, clock_gettime};

/// The release binary `seccomp-trace`: where `SECCOMP_TRACE_BIN` points, else beside the benchmark.
///
/// # Errors
/// It has not been built.
pub fn seccomp_trace() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("SECCOMP_TRACE_BIN") {
        return Ok(path.into());
    }
    let me = std::env::current_exe()?;
    let path =
        me.ancestors().nth(2).context("the benchmark is not in a target folder")?.join("seccomp-trace");
    anyhow::ensure!(path.exists(), "{} is missing: build it first (make build)", path.display());
    Ok(path)
}

/// `CLOCK_MONOTONIC`.
#[must_use]
pub fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).unwrap_or_default()
}

/// What one run of a command showed.
#[derive(Debug)]
pub struct Finished {
    /// Its standard output.
    pub stdout: String,
    /// The peak resident memory of the process itself, without its children, in KiB.
    pub peak_kib: i64,
    /// From before the fork until it had been waited for.
    pub wall: Duration,
}

/// Runs a command to its end.
///
/// # Errors
/// It could not be started, or failed.
pub fn run(command: &mut Command) -> anyhow::Result<Finished> {
    run_with_input(command, "")
}

/// Runs a command to its end, with this standard input.
///
/// # Errors
/// It could not be started, or failed.
pub fn run_with_input(command: &mut Command, input: &str) -> anyhow::Result<Finished> {
    let start = monotonic();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if let Some(mut pipe) = child.stdin.take() {
        // Who does not read it has no use for it.
        let _ = std::io::Write::write_all(&mut pipe, input.as_bytes());
    }
    let mut stdout = String::new();
    if let Some(pipe) = &mut child.stdout {
        std::io::Read::read_to_string(pipe, &mut stdout)?;
    }
    let (status, peak_kib) = wait(&child)?;
    anyhow::ensure!(status == 0, "{} failed with wait status {status:#x}", command.get_program().display());
    Ok(Finished { stdout, peak_kib, wall: monotonic().saturating_sub(start) })
}

/// Waits for a child; its wait status and its peak resident memory in KiB.
fn wait(child: &Child) -> anyhow::Result<(i32, i64)> {
    let pid = i32::try_from(child.id()).context("a process id")?;
    // SAFETY: the status and the usage are plain data that live across the call; zero is a valid value of each field.
    unsafe {
        let mut status = 0;
        let mut usage: libc::rusage = std::mem::zeroed();
        if libc::wait4(pid, &mut status, 0, &mut usage) != pid {
            return Err(std::io::Error::last_os_error()).context("cannot wait for a child");
        }
        Ok((status, usage.ru_maxrss))
    }
}

/// Lower quartile, median and upper quartile.
#[must_use]
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at =
        |share: usize| sorted.get((sorted.len().saturating_sub(1)) * share / 4).copied().unwrap_or(f64::NAN);
    [at(1), at(2), at(3)]
}
