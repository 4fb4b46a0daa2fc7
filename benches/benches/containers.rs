//! Question: what does a syscall of a traced container cost, when it is the only one, and when it is one of fifty?
//!
//! Measured: the CPU time of a getppid loop in a process that is observed as a container's init, by the instance that
//! hooks share; untraced, alone, and with 49 others observed, in turn, in one run.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::Context;
use nix::time::{ClockId, clock_gettime};
use seccomp_trace_benches::quartiles;
use seccomp_trace_bpf::shared::{ContainerSpec, SharedDir, SharedTarget};
use seccomp_trace_core::Tgid;

const ROUNDS: usize = 9;
const CALLS: u32 = 1_000_000;
const OTHERS: usize = 49;
/// The argument that makes this program the traced one.
const LOOP: &str = "--getppid-loop";

fn main() -> ExitCode {
    if std::env::args().any(|word| word == LOOP) {
        println!("{}", getppid_loop());
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("containers: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Nanoseconds of CPU time a call.
fn getppid_loop() -> f64 {
    let time =
        || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(std::time::Duration::from).unwrap_or_default();
    let before = time();
    for _ in 0..CALLS {
        let _ = nix::unistd::getppid();
    }
    time().saturating_sub(before).as_secs_f64() * 1e9 / f64::from(CALLS)
}

/// A process that waits for a line before it executes its program, as a container's init waits for its hooks.
struct Held(Child);

impl Held {
    fn start(program: &Path, argument: &str) -> anyhow::Result<Self> {
        let child = Command::new("sh")
            .args(["-c", "read line; exec \"$0\" \"$@\""])
            .arg(program)
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        Ok(Self(child))
    }

    fn observe(&self, shared: &SharedDir) -> anyhow::Result<SharedTarget> {
        let id = format!("bench-{}", self.0.id());
        Ok(shared.observe(ContainerSpec::new(id, "/", Tgid(self.0.id())))?)
    }

    fn release(&mut self) -> anyhow::Result<()> {
        self.0.stdin.take().context("a pipe")?.write_all(b"\n").context("cannot release a process")
    }

    /// What the loop measured.
    fn result(mut self) -> anyhow::Result<f64> {
        self.release()?;
        let mut text = String::new();
        self.0.stdout.take().context("a pipe")?.read_to_string(&mut text)?;
        self.0.wait()?;
        text.trim().parse().context("the loop's result")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One loop, observed or not.
fn once(shared: Option<&SharedDir>) -> anyhow::Result<f64> {
    let held = Held::start(&std::env::current_exe()?, LOOP)?;
    let target = shared.map(|shared| held.observe(shared)).transpose()?;
    let result = held.result()?;
    if let Some(target) = target {
        let _ = target.finish(|_, _| ())?;
    }
    Ok(result)
}

/// One loop, with others observed that wait.
fn among_others(shared: &SharedDir) -> anyhow::Result<f64> {
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        let mut other = Held::start(Path::new("sleep"), "1000")?;
        let target = other.observe(shared)?;
        other.release()?;
        others.push((other, target));
    }
    let result = once(Some(shared));
    for (other, target) in others {
        drop(other);
        let _ = target.finish(|_, _| ())?;
    }
    result
}

fn measure() -> anyhow::Result<()> {
    let directory = std::env::temp_dir().join(format!("seccomp-trace-bench-{}", std::process::id()));
    let shared = SharedDir::new(&directory);
    let (mut untraced, mut alone, mut crowded) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        untraced.push(once(None)?);
        alone.push(once(Some(&shared))?);
        crowded.push(among_others(&shared)?);
    }
    println!("What does a syscall of a traced container cost, alone and as one of {}?", OTHERS + 1);
    println!("{ROUNDS} rounds of {CALLS} getppid calls, in turn; CPU time of the thread, quartiles\n");
    println!("| | ns a call | | | ratio to untraced |");
    println!("|---|---|---|---|---|");
    let base = quartiles(&untraced)[1];
    for (name, values) in [("untraced", untraced), ("traced alone", alone), ("one of fifty", crowded)] {
        let [low, middle, high] = quartiles(&values);
        println!("| {name} | {low:.0} | **{middle:.0}** | {high:.0} | x{:.2} |", middle / base);
    }
    Ok(())
}
