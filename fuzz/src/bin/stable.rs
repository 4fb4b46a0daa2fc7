//! Runs the fuzz targets without libFuzzer, for a time each. Needs no nightly toolchain.
//!
//!   stable [--seconds N] [--seed N] [TARGET...]
//!   stable --replay TARGET FILE...

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use seccomp_trace_fuzz::runner::{Count, Runner};
use seccomp_trace_fuzz::targets::{TARGETS, Target};

/// An input that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(10);

struct Arguments {
    seconds: u64,
    seed: u64,
    replay: bool,
    words: Vec<String>,
}

fn main() -> ExitCode {
    match arguments().and_then(|arguments| act(&arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut given = Arguments { seconds: 20, seed: 1, replay: false, words: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<u64> {
            words.next().and_then(|text| text.parse().ok()).with_context(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            "--seconds" => given.seconds = number()?,
            "--seed" => given.seed = number()?,
            "--replay" => given.replay = true,
            _ if word.starts_with('-') => bail!("unknown option {word}"),
            _ => given.words.push(word),
        }
    }
    Ok(given)
}

fn find(name: &str) -> anyhow::Result<Target> {
    let known = || TARGETS.map(|target| target.name).join(", ");
    let found = TARGETS.into_iter().find(|target| target.name == name);
    found.with_context(|| format!("no target {name} (known: {})", known()))
}

fn act(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    if arguments.replay {
        let (name, files) = arguments.words.split_first().context("--replay TARGET FILE...")?;
        for file in files {
            let understood = (find(name)?.run)(&std::fs::read(file).with_context(|| file.clone())?);
            println!("{file}: {}", if understood { "understood" } else { "refused" });
        }
        return Ok(());
    }
    let targets = match &arguments.words[..] {
        [] => TARGETS.to_vec(),
        names => names.iter().map(|name| find(name)).collect::<anyhow::Result<_>>()?,
    };
    let runners = targets.into_iter().map(|target| Runner::new(target, folder).map(Arc::new));
    let runners: Vec<Arc<Runner>> = runners.collect::<Result<_, _>>().context("cannot read the corpus")?;
    println!("fuzz: without coverage, {} s for each target, seed {}", arguments.seconds, arguments.seed);
    let failed = run_all(&runners, arguments, folder)?;
    ensure!(failed == 0, "{failed} targets failed");
    Ok(())
}

type Outcome = (usize, Result<Count, Vec<u8>>);

/// Runs each target, as many at a time as there are processors.
fn run_all(runners: &[Arc<Runner>], arguments: &Arguments, folder: &Path) -> anyhow::Result<usize> {
    let (sender, outcomes) = channel();
    let waiting: Arc<Mutex<Vec<usize>>> = Arc::new(Mutex::new((0..runners.len()).rev().collect()));
    for _ in 0..std::thread::available_parallelism()?.get().min(runners.len()) {
        let (waiting, runners, sender) = (Arc::clone(&waiting), runners.to_vec(), sender.clone());
        let (seed, time) = (arguments.seed, Duration::from_secs(arguments.seconds));
        std::thread::spawn(move || work(&waiting, &runners, &sender, seed, time));
    }
    drop(sender);
    let mut failed = 0;
    while let Some((index, outcome)) = next(&outcomes, runners, folder)? {
        let name = runners[index].target().name;
        match outcome {
            Ok(Count { run, understood }) => {
                println!("fuzz: {name:<10} {run:>9} inputs, {understood:>9} understood: ok");
                // Else every input was refused at the door, and nothing behind it has been looked at.
                ensure!(understood > 0, "{name} understood no input at all");
            }
            Err(input) => {
                failed += 1;
                println!(
                    "fuzz: {name:<10} PANICKED; the input is in {}",
                    keep(folder, name, &input)?.display()
                );
            }
        }
    }
    Ok(failed)
}

fn work(
    waiting: &Mutex<Vec<usize>>,
    runners: &[Arc<Runner>],
    outcomes: &Sender<Outcome>,
    seed: u64,
    time: Duration,
) {
    let next = || waiting.lock().ok()?.pop();
    while let Some(index) = next() {
        if outcomes.send((index, runners[index].run(seed, time))).is_err() {
            break;
        }
    }
}

/// Waits for the next outcome, and looks meanwhile whether an input hangs; `None` when all are there.
fn next(
    outcomes: &Receiver<Outcome>,
    runners: &[Arc<Runner>],
    folder: &Path,
) -> anyhow::Result<Option<Outcome>> {
    loop {
        match outcomes.recv_timeout(Duration::from_millis(500)) {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        for runner in runners {
            let now = runner.now.lock().ok().and_then(|now| now.clone());
            if let Some((_, input)) = now.filter(|(since, _)| Instant::now() - *since > LONGEST) {
                let name = runner.target().name;
                bail!("{name} HANGS; the input is in {}", keep(folder, name, &input)?.display());
            }
        }
    }
}

/// Writes an input to where cargo-fuzz would.
fn keep(folder: &Path, name: &str, input: &[u8]) -> anyhow::Result<PathBuf> {
    let folder = folder.join("artifacts").join(name);
    std::fs::create_dir_all(&folder)?;
    let number = std::fs::read_dir(&folder)?.count();
    let path = folder.join(format!("stable-{number}"));
    std::fs::write(&path, input)?;
    Ok(path)
}
