//! Asks all questions: `make bench`, `make bench-quick`.
//!
//!     cargo bench -p seccomp-trace-benches --bench report -- [--quick] [--write FILE] [QUESTION…]

use std::process::ExitCode;

use seccomp_trace_benches::{Scale, report};

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<ExitCode> {
    let (mut scale, mut file, mut names) = (Scale::Full, None, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // Cargo says this to every benchmark.
            "--bench" => {}
            "--quick" => scale = Scale::Quick,
            "--write" => file = arguments.next(),
            _ => names.push(argument),
        }
    }
    let report = report(scale, &names)?;
    let document = report.markdown();
    match file {
        Some(file) => std::fs::write(file, document)?,
        None => print!("{document}"),
    }
    let failures: Vec<_> = report.failures().collect();
    for failure in &failures {
        eprintln!("bench: FAILED: {failure}");
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
