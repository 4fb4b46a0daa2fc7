//! Question: how long does what needs no kernel take: merging many recordings, making and checking a profile of them,
//! comparing and merging profiles?
//!
//! Measured: wall time of each, and the peak resident memory of this process while recordings are merged. They are
//! read one after the other as JSON, and dropped when they are merged. Making the texts is not measured.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use seccomp_trace_benches::{monotonic, quartiles};
use seccomp_trace_core::{
    Arch, Armed, Comm, Ended, FirstSeen, Host, Losses, Observation, Phase, Recording, Run, RunId, Syscall,
    Tgid, Tid, Timestamp,
};
use seccomp_trace_profile::{
    Combination, Environment, OnConflict, Policy, Profile, Resolved, Semantics, check_instances, diff,
    generate, merge,
};

const RECORDINGS: u32 = 10_000;
const CALLS: i32 = 60;
const ROUNDS: usize = 21;
/// Podman's default profile, where its package puts it.
const REAL: &str = "/usr/share/containers/seccomp.json";

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pure: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> anyhow::Result<()> {
    println!("How long does what needs no kernel take, and in what memory?\n");
    let merged = many_recordings()?;
    anyhow::ensure!(merged.runs().len() == RECORDINGS as usize, "a run was lost");
    println!("\n{ROUNDS} rounds; quartiles\n");
    println!("| | ms | | |");
    println!("|---|---|---|---|");
    let policy = Policy::default();
    let one = recording(0);
    let generated = row("generate, 60 syscalls of one run", || Ok(generate(&one, &policy)?))?;
    let _ = row("check it: compile with libseccomp, run every call", || {
        Ok(check_instances(&generated.profile, &generated.instances, &Environment::default())?)
    })?;
    let all = row("generate, of all recordings", || Ok(generate(&merged, &policy)?))?;
    let Ok(text) = std::fs::read_to_string(REAL) else {
        println!("\nLEFT OUT, since {REAL} is missing: comparing and merging profiles");
        return Ok(());
    };
    // For 64-bit callers alone: that a rule means another thing on another ABI can leave no rules for a union.
    let mut document: serde_json::Value = serde_json::from_str(&text)?;
    document.as_object_mut().context("not an object")?.remove("archMap");
    let text = document.to_string();
    let engine = Profile::from_json(&text)?;
    let mut other = Environment::default();
    other.caps.extend(["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_NET_ADMIN"].map(str::to_owned));
    let (plain, mighty) = (meaning(&engine, &Environment::default())?, meaning(&engine, &other)?);
    let ours = meaning(&all.profile, &other)?;
    row("read Podman's default profile", || Ok(Profile::from_json(&text)?))?;
    row("its meaning", || meaning(&engine, &other))?;
    row("diff of it and the generated one", || Ok(diff(&ours, &plain)?))?;
    row("diff of it with and without capabilities", || Ok(diff(&plain, &mighty)?))?;
    for (how, name) in [(Combination::Union, "union"), (Combination::Intersection, "intersection")] {
        let both = [plain.clone(), mighty.clone()];
        row(&format!("{name} of those two"), || Ok(merge(&both, how, OnConflict::Order)?))?;
    }
    Ok(())
}

/// Merges recordings as they come. Prints what that took; the result is their union.
fn many_recordings() -> anyhow::Result<Recording> {
    let (mut reading, mut merging) = (Duration::ZERO, Duration::ZERO);
    let (mut bytes, mut early_kib) = (0, 0);
    let mut merged = Recording::default();
    for number in 0..RECORDINGS {
        let text = recording(number).to_json();
        bytes += text.len();
        let begin = monotonic();
        let recording = Recording::from_json(&text)?;
        let read = monotonic();
        merged.merge(recording);
        merging += monotonic().saturating_sub(read);
        reading += read.saturating_sub(begin);
        if number == RECORDINGS / 10 {
            early_kib = peak_kib()?;
        }
    }
    let calls: BTreeSet<Syscall> = merged.calls().keys().copied().collect();
    println!(
        "{RECORDINGS} recordings of {CALLS} syscalls, {} MB of JSON, merged one by one",
        bytes / 1_000_000
    );
    println!("into one of {} syscalls and {} runs:\n", calls.len(), merged.runs().len());
    println!("| | s |");
    println!("|---|---|");
    println!("| reading | {:.2} |", reading.as_secs_f64());
    println!("| merging | **{:.3}** |", merging.as_secs_f64());
    println!("| both | {:.2} |", (reading + merging).as_secs_f64());
    println!();
    let mib = |kib: u32| f64::from(kib) / 1024.0;
    let (early, peak) = (mib(early_kib), mib(peak_kib()?));
    println!("peak memory: {early:.1} MiB after the first {}, {peak:.1} MiB after all", RECORDINGS / 10);
    println!("(what remains of each is its run)");
    Ok(merged)
}

/// One run: most of the calls are those of every run, some are its own.
fn recording(number: u32) -> Recording {
    let time = Timestamp::from_unix_nanos(1_795_472_753_000_000_000 + u64::from(number) * 1_000_003);
    let run = Run {
        tool: "seccomp-trace 0.1.0".to_owned(),
        host: Host { kernel: "6.1.0-13-amd64".to_owned(), arch: Arch::X86_64 },
        runtime: None,
        container: None,
        command: None,
        started: time,
        until: time,
        armed: Armed::BeforeExec,
        ended: Ended::TargetEnded,
        processes: 1,
        losses: Losses::default(),
    };
    let mut recording = Recording::of_run(RunId(format!("00000000-0000-4000-8000-{number:012}")), run);
    let own = i32::try_from(number % 200).unwrap_or_default();
    for call in (0..CALLS - 10).chain((0..10).map(|nth| 100 + (own + nth * 19) % 200)) {
        let first = FirstSeen {
            time,
            pid: Tgid(number + 2),
            tid: Tid(number + 2),
            comm: Comm::from_kernel(*b"benchmark\0\0\0\0\0\0\0"),
        };
        let observation = Observation { first: Some(first), count: None, args: None };
        recording.observe(Syscall::new(Arch::X86_64, call), Phase::Workload, observation);
    }
    recording
}

fn meaning(profile: &Profile, environment: &Environment) -> anyhow::Result<Semantics> {
    let native = Arch::native().context("this machine's architecture is not known")?;
    Ok(Semantics::new(profile, &Resolved::new(profile, environment, native)?)?)
}

fn row<T>(name: &str, mut work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let mut millis = Vec::new();
    let mut result = None;
    for _ in 0..ROUNDS {
        let begin = monotonic();
        let made = work()?;
        millis.push(monotonic().saturating_sub(begin).as_secs_f64() * 1e3);
        result = Some(made);
    }
    let [low, middle, high] = quartiles(&millis);
    println!("| {name} | {low:.2} | **{middle:.2}** | {high:.2} |");
    result.context("no round")
}

/// Not by getrusage: that begins with what the process that started this one had.
fn peak_kib() -> anyhow::Result<u32> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
