//! `seccomp-trace explain`: why calls are allowed or denied.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use seccomp_trace_core::{Arch, Recording, Syscall};
use seccomp_trace_profile::{Explanation, Profile, Resolved, Seen, explain, similar_names};

use crate::environment::{self, EnvironmentArgs};
use crate::exit::Exit;
use crate::input::read;
use crate::say::{self, out};

/// `explain`
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The profile (`-`: standard input)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The calls [default: all that the profile names]
    #[arg(value_name = "SYSCALL")]
    names: Vec<String>,
    /// A recording, to say who made a call first (may be given several times)
    #[arg(long, value_name = "RECORDING")]
    recording: Vec<PathBuf>,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    environment: EnvironmentArgs,
}

/// Runs `seccomp-trace explain`.
pub(crate) fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let (environment, native) = args.environment.resolve()?;
    let shown = args.file.display();
    let profile = Profile::from_json(&read(&args.file)?).with_context(|| format!("cannot use {shown}"))?;
    let resolved =
        Resolved::new(&profile, &environment, native).with_context(|| format!("cannot use {shown}"))?;
    let mut recordings = Vec::new();
    for path in &args.recording {
        let recording = Recording::from_json(&read(path)?);
        recordings.push(recording.with_context(|| format!("cannot use {}", path.display()))?);
    }
    let names: Vec<&str> = args.names.iter().map(String::as_str).collect();
    names.iter().try_for_each(|name| known(name))?;
    environment::say(&profile, &environment, native);
    let explanations = explain(&profile, &resolved, &names, &recordings);
    if args.json {
        say::document(&serde_json::to_string_pretty(&explanations)?);
    } else {
        for explanation in &explanations {
            print(explanation, &args.recording);
        }
    }
    Ok(Exit::SUCCESS)
}

/// Refuses a name that no architecture has, with those that look like it.
fn known(name: &str) -> anyhow::Result<()> {
    if Arch::ALL.iter().any(|arch| Syscall::from_name(*arch, name).is_some()) {
        return Ok(());
    }
    let similar = similar_names(name);
    if similar.is_empty() {
        bail!("there is no syscall {name:?}");
    }
    bail!("there is no syscall {name:?}; did you mean {}?", similar.join(" or "));
}

fn print(explanation: &Explanation, recordings: &[PathBuf]) {
    out!("{} {}", explanation.name, explanation.groups.join(" "));
    if explanation.arches.is_empty() {
        out!("  no call of any architecture of the profile");
    }
    for arch in &explanation.arches {
        let through = arch.through.as_ref().map_or_else(String::new, |through| format!(" by {through}"));
        out!("  {:8} {}{through}", arch.arch.name(), arch.verdict);
    }
    if explanation.rules.is_empty() {
        out!("  decided by the default action");
    }
    for rule in &explanation.rules {
        let conditions =
            if rule.conditions.is_empty() { String::new() } else { format!(" where {}", rule.conditions) };
        out!("  syscalls[{}]: {}{conditions}", rule.index, rule.verdict);
        if let Some(reason) = &rule.reason {
            out!("    why: {reason}");
        }
        if !rule.comment.is_empty() {
            out!("    comment: {}", rule.comment);
        }
    }
    for seen in &explanation.seen {
        out!("  seen: {}", place(seen, recordings));
    }
    if let Some(danger) = explanation.danger {
        out!("  ! widens the attack surface: {danger}");
    }
}

fn place(seen: &Seen, recordings: &[PathBuf]) -> String {
    let file = recordings.get(seen.recording).map_or_else(String::new, |path| path.display().to_string());
    let runs: Vec<String> = seen.runs.iter().map(ToString::to_string).collect();
    let first =
        seen.first.map_or_else(String::new, |first| format!(", first by {} ({})", first.comm, first.pid));
    let runs = if runs.is_empty() { String::new() } else { format!(", run {}", runs.join(" ")) };
    format!("{} as {}{first}, in {file}{runs}", seen.phase, seen.call.arch)
}
