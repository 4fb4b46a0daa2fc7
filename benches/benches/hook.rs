//! Question: by how much does the hook delay the start and the end of a container, and how much memory does it take?
//!
//! Measured, with crun and with runc, where they and podman are installed: `podman run --rm IMAGE true` with the hook and
//! without, in turn, in one run; and the hook by itself on a process that waits as a container's init does.

use std::io::Write;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::Context;
use seccomp_trace_benches::{Finished, quartiles, run_with_input};
use seccomp_trace_tests::podman::of;
use seccomp_trace_tests::{Podman, oci_hook};

const ROUNDS: usize = 15;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hook: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    println!("By how much does the hook delay a container, and how much memory does it take?");
    println!("{ROUNDS} rounds, in turn; quartiles\n");
    println!("| `podman run --rm IMAGE true` | without, ms | with, ms | difference of the medians, ms |");
    println!("|---|---|---|---|");
    let installed = |program: &str| Command::new(program).arg("--version").output().is_ok();
    for runtime in ["crun", "runc"] {
        if !["podman", "conmon", runtime].into_iter().all(installed) {
            println!("| {runtime} | not installed | | |");
            continue;
        }
        let (without, with) = podman(runtime);
        let shown = |[low, middle, high]: [f64; 3]| format!("{low:.0} **{middle:.0}** {high:.0}");
        let difference = with[1] - without[1];
        println!("| {runtime} | {} | {} | **{difference:.0}** |", shown(without), shown(with));
    }
    println!("\n| the hook alone | ms | | | peak memory, MiB |");
    println!("|---|---|---|---|---|");
    alone()
}

fn podman(runtime: &str) -> ([f64; 3], [f64; 3]) {
    let podman = Podman::new(runtime);
    let annotation = of(&podman.out("bench.json"));
    let timed = |hooked: bool| {
        let start = Instant::now();
        let ran = if hooked { podman.trace(&annotation, &[], &["true"]) } else { podman.run(&[], &["true"]) };
        drop(ran.success());
        start.elapsed().as_secs_f64() * 1e3
    };
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        without.push(timed(false));
        with.push(timed(true));
    }
    (quartiles(&without), quartiles(&with))
}

/// The stages by themselves: prestart that loads, prestart that joins what the first has loaded, poststop of each.
fn alone() -> anyhow::Result<()> {
    let folder = std::env::temp_dir().join(format!("seccomp-trace-bench-{}", std::process::id()));
    std::fs::create_dir(&folder)?;
    let mut rows = ["prestart, loads", "prestart, joins", "poststop, others run", "poststop, the last"]
        .map(|name| (name, Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        let mut inits = [Init::start()?, Init::start()?];
        for (row, (which, stage)) in
            [(0, Stage::Prestart), (1, Stage::Prestart), (0, Stage::Poststop), (1, Stage::Poststop)]
                .into_iter()
                .enumerate()
        {
            let init = &mut inits[which];
            if stage == Stage::Poststop {
                init.end()?;
            }
            let finished = hook(&folder, init, stage)?;
            rows[row].1.push(finished.wall.as_secs_f64() * 1e3);
            #[expect(clippy::cast_precision_loss, reason = "KiB of a process fit into a double")]
            rows[row].2.push(finished.peak_kib as f64 / 1024.0);
        }
    }
    for (name, times, memory) in rows {
        let [low, middle, high] = quartiles(&times);
        let [_, peak, _] = quartiles(&memory);
        println!("| {name} | {low:.1} | **{middle:.1}** | {high:.1} | {peak:.1} |");
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Prestart,
    Poststop,
}

/// A process that waits for a line before it executes its program, as a container's init waits for its hooks.
struct Init(Child);

impl Init {
    fn start() -> anyhow::Result<Self> {
        let child = Command::new("sh")
            .args(["-c", "read line; exec true"])
            .stdin(Stdio::piped())
            .spawn()
            .context("cannot start sh")?;
        Ok(Self(child))
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.0.stdin.take().context("a pipe")?.write_all(b"\n")?;
        self.0.wait().context("cannot wait for sh").map(drop)
    }
}

fn hook(folder: &std::path::Path, init: &Init, stage: Stage) -> anyhow::Result<Finished> {
    let (status, pid) = match stage {
        Stage::Prestart => ("created", init.0.id()),
        Stage::Poststop => ("stopped", 0),
    };
    let folder = folder.display();
    let state = format!(
        r#"{{"ociVersion":"1.0","id":"bench-{}","status":"{status}","pid":{pid},"bundle":"/","annotations":{{"io.containers.trace-syscall":"of:{folder}/{}.json"}}}}"#,
        init.0.id(),
        init.0.id()
    );
    let mut command = Command::new(oci_hook());
    command.args(["-s", "--poststop", "--state-dir", &format!("{folder}/state")]).stderr(Stdio::null());
    run_with_input(&mut command, &state)
}
