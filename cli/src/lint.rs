//! `seccomp-trace lint`: what is wrong with a profile.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use seccomp_trace_profile::{Baseline, Profile, Severity, lint};

use crate::environment::{self, EnvironmentArgs};
use crate::exit::Exit;
use crate::input::read;
use crate::say::{self, out};

/// `lint`
#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// The profile (`-`: standard input)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON array
    #[arg(long)]
    json: bool,
    /// Exit with 1 where something of this severity or worse is found: note, warning or error
    #[arg(long, value_name = "LEVEL")]
    deny: Option<Severity>,
    /// The container runtime that will load the profile: runc, crun, any or none
    #[arg(long = "for", value_name = "RUNTIME", default_value = "any")]
    runtime: Baseline,
    #[command(flatten)]
    environment: EnvironmentArgs,
}

/// Runs `seccomp-trace lint`.
pub(crate) fn run(args: &LintArgs) -> anyhow::Result<Exit> {
    let (environment, native) = args.environment.resolve()?;
    let shown = args.file.display();
    let profile = Profile::from_json(&read(&args.file)?).with_context(|| format!("cannot use {shown}"))?;
    environment::say(&profile, &environment, native);
    let findings = lint(&profile, &environment, args.runtime);
    if args.json {
        say::document(&serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            let severity = finding.severity();
            let title = finding.code.title();
            out!(
                "{severity}[{}]: {title}: {}\n  at {shown}: {}",
                finding.code,
                finding.message,
                finding.path
            );
            out!("  {} {}", finding.code.why(), finding.code.remedy());
        }
    }
    let denied = findings.iter().any(|finding| args.deny.is_some_and(|level| finding.severity() >= level));
    Ok(if denied { Exit::FOUND } else { Exit::SUCCESS })
}
