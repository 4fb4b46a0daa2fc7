//! `seccomp-trace diff`: what one profile decides differently from another, whatever they look like.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use seccomp_trace_profile::{Diff, diff};
use serde::Serialize;

use crate::environment::{self, EnvironmentArgs, Used};
use crate::exit::Exit;
use crate::load::load;
use crate::say::{self, out};

/// `diff` and `subset`
#[derive(Debug, Args)]
pub(crate) struct TwoArgs {
    /// The first profile (`-`: standard input)
    #[arg(value_name = "A")]
    pub(crate) a: PathBuf,
    /// The second profile
    #[arg(value_name = "B")]
    pub(crate) b: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) environment: EnvironmentArgs,
    /// Print nothing but errors: the status tells
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Serialize)]
struct Report {
    environment: Used,
    #[serde(flatten)]
    diff: Diff,
}

/// Runs `seccomp-trace diff`.
pub(crate) fn run(args: &TwoArgs) -> anyhow::Result<Exit> {
    let (environment, native) = args.environment.resolve()?;
    let sides = load(&[args.a.clone(), args.b.clone()], &environment, native)?;
    let found = diff(&sides[0].meaning, &sides[1].meaning).context("cannot compare the profiles")?;
    let status = if found.is_empty() { Exit::SUCCESS } else { Exit::FOUND };
    if args.quiet {
        return Ok(status);
    }
    environment::say_used(&environment, native);
    if args.json {
        let report = Report { environment: Used::new(&environment, native), diff: found };
        say::document(&serde_json::to_string_pretty(&report)?);
    } else {
        found.changes.iter().for_each(|change| out!("{change}"));
        found.settings.iter().for_each(|setting| out!("{setting}"));
    }
    Ok(status)
}
