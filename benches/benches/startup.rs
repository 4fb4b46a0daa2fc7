//! Question: how long does a command wait until it is traced, and how much memory does its tracer take?
//!
//! Measured: from before the fork of the tracer until the command's own `main` looks at the clock, and the tracer's
//! peak resident memory. The same command untraced and under `strace -f` (where installed) in turn, in one run.

use std::process::{Command, ExitCode};

use seccomp_trace_benches::{monotonic, quartiles, run, seccomp_trace};

const ROUNDS: usize = 21;
/// The argument that makes this program the traced command: it prints the time and exits.
const STAMP: &str = "--print-the-time";

struct Row {
    name: &'static str,
    words: Vec<String>,
    start_ms: Vec<f64>,
    peak_mib: Vec<f64>,
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == STAMP) {
        println!("{}", monotonic().as_nanos());
        return ExitCode::SUCCESS;
    }
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("startup: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    let me = std::env::current_exe()?.to_string_lossy().into_owned();
    let ours = seccomp_trace()?.to_string_lossy().into_owned();
    let tracers = [
        ("untraced", vec![]),
        (
            "seccomp-trace",
            vec![ours, "run".into(), "-q".into(), "-o".into(), "/dev/null".into(), "--".into()],
        ),
        ("strace -f", ["strace", "-f", "-o", "/dev/null", "--"].map(String::from).to_vec()),
    ];
    let mut rows: Vec<Row> = tracers
        .into_iter()
        .filter(|(name, _)| *name != "strace -f" || Command::new("strace").arg("-V").output().is_ok())
        .map(|(name, mut words)| {
            words.extend([me.clone(), STAMP.to_owned()]);
            Row { name, words, start_ms: Vec::new(), peak_mib: Vec::new() }
        })
        .collect();
    for _ in 0..ROUNDS {
        for row in &mut rows {
            let before = monotonic();
            let finished = run(Command::new(&row.words[0]).args(&row.words[1..]))?;
            let nanos: u64 = finished.stdout.trim().parse()?;
            let waited = std::time::Duration::from_nanos(nanos).saturating_sub(before);
            row.start_ms.push(waited.as_secs_f64() * 1e3);
            #[expect(clippy::cast_precision_loss, reason = "KiB of a process fit into a double")]
            row.peak_mib.push(finished.peak_kib as f64 / 1024.0);
        }
    }
    println!("How long does a command wait until it is traced, and what memory does its tracer take?");
    println!("{ROUNDS} rounds, in turn; quartiles\n");
    println!("| | start of the command, ms | | | peak memory, MiB | ratio to untraced |");
    println!("|---|---|---|---|---|---|");
    let untraced = quartiles(&rows[0].start_ms)[1];
    for row in &rows {
        let [low, middle, high] = quartiles(&row.start_ms);
        let [_, memory, _] = quartiles(&row.peak_mib);
        let ratio = middle / untraced;
        println!("| {} | {low:.1} | **{middle:.1}** | {high:.1} | {memory:.1} | x{ratio:.1} |", row.name);
    }
    Ok(())
}
