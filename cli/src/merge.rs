//! `seccomp-trace merge`: what any of several profiles allows, or what all of them allow.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use seccomp_trace_profile::{Combination, Merged, OnConflict, Profile, Semantics, merge, prove};
use serde::Serialize;

use crate::environment::{self, EnvironmentArgs, Used};
use crate::exit::Exit;
use crate::load::load;
use crate::profile;
use crate::say::{self, say};

/// `merge`
#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// The profiles (`-`: standard input)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Allow what any of them allows (the default)
    #[arg(long)]
    union: bool,
    /// Allow what all of them allow
    #[arg(long, conflicts_with = "union")]
    intersect: bool,
    /// What becomes of calls that the profiles deny in different ways: `order` (the kernel's order of strictness
    /// decides) or `error`
    #[arg(long, value_name = "WHAT", default_value = "order")]
    on_conflict: Conflicts,
    /// Write the profile to FILE (`-`: standard output)
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    #[command(flatten)]
    environment: EnvironmentArgs,
    /// Write the result without proving that its compiled filter decides as those of the files do together
    #[arg(long)]
    no_check: bool,
    /// Print one JSON object on what was merged and proved; needs -o
    #[arg(long)]
    json: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Conflicts {
    Order,
    Error,
}

#[derive(Serialize)]
struct Report<'a> {
    environment: Used,
    combination: &'static str,
    files: Vec<&'a str>,
    output: String,
    /// Calls that are denied in one way on all architectures, where the files have several.
    denied_alike: Vec<&'a str>,
    /// Whether that is so for the calls that no rule is about.
    default_alike: bool,
    /// For how many calls, each of one ABI, the compiled filters were compared for all arguments; none with `--no-check`.
    proved: Option<usize>,
}

/// Runs `seccomp-trace merge`.
pub(crate) fn run(args: &MergeArgs) -> anyhow::Result<Exit> {
    let output = profile::prepare_output(&args.output)?;
    ensure!(
        !args.json || output.is_file(),
        "--json is about the profile, which needs a place of its own: give it with -o FILE"
    );
    let (environment, native) = args.environment.resolve()?;
    let inputs = load(&args.files, &environment, native)?;
    let how = if args.intersect { Combination::Intersection } else { Combination::Union };
    let on_conflict = match args.on_conflict {
        Conflicts::Order => OnConflict::Alike,
        Conflicts::Error => OnConflict::Refuse,
    };
    let meanings: Vec<Semantics> = inputs.iter().map(|input| input.meaning.clone()).collect();
    let result = merge(&meanings, how, on_conflict).context("cannot merge the profiles")?;
    if !args.quiet {
        environment::say_used(&environment, native);
    }
    let proved = if args.no_check {
        say!("warning: the result was not checked (--no-check)");
        None
    } else {
        let named: Vec<(String, &Profile)> =
            inputs.iter().map(|input| (input.name.clone(), &input.profile)).collect();
        let proof = prove(&result, &named, how, &environment, native)
            .context("the result failed its check and was not written")?;
        Some(proof.calls)
    };
    if !args.quiet {
        say_alike(&result);
    }
    profile::write(&output, result.profile.to_json(), args.quiet)?;
    if args.json {
        let report = Report {
            environment: Used::new(&environment, native),
            combination: if args.intersect { "intersection" } else { "union" },
            files: inputs.iter().map(|input| input.name.as_str()).collect(),
            output: args.output.display().to_string(),
            denied_alike: result.denied_alike.iter().map(String::as_str).collect(),
            default_alike: result.default_alike,
            proved,
        };
        say::document(&serde_json::to_string_pretty(&report)?);
    }
    Ok(Exit::SUCCESS)
}

/// What could not be said by rules, which count on all architectures.
fn say_alike(result: &Merged) {
    let named = result.denied_alike.iter().map(String::as_str);
    let default = result.default_alike.then_some("(what no rule is about)");
    let calls: Vec<&str> = default.into_iter().chain(named).collect();
    if !calls.is_empty() {
        let calls = calls.join(" ");
        say!("the files list different architectures, on which these calls are denied in different ways;");
        say!("the result denies them in one way on all: {calls}");
    }
}
