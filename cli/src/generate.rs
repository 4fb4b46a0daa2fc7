//! `seccomp-trace generate`: a profile from recordings.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seccomp_trace_core::Recording;

use crate::args::GenerateArgs;
use crate::compare::{Found, standard_output_is_free};
use crate::exit::Exit;
use crate::load::one_standard_input;
use crate::profile::{self, ProfilePlan};
use crate::say::say;

/// Runs `seccomp-trace generate`.
pub(crate) fn generate(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let plan = ProfilePlan::resolve(&args.policy, args.args != "none")?;
    let policy = &args.policy;
    ensure!(
        !policy.comparison.json || policy.comparison.compare.is_some(),
        "--json is for --compare; give that too"
    );
    let files = args.recordings.iter().chain(&policy.base).chain(&policy.comparison.compare);
    one_standard_input(files.map(PathBuf::as_path))?;
    // Whoever compares need not want a profile.
    let makes = policy.output.is_some() || policy.comparison.compare.is_none();
    standard_output_is_free(&policy.comparison, makes && plan.output().is_standard_output())?;
    let mut recording = Recording::default();
    for path in &args.recordings {
        recording.merge(read(path)?);
    }
    if makes {
        plan.make(&recording, args.quiet)?;
    }
    profile::completeness(&recording, args.strict)?;
    match plan.compare(&recording, args.quiet)? {
        Found::Nothing => Ok(Exit::SUCCESS),
        Found::Trouble(what) => {
            say!("{what}");
            Ok(Exit::FOUND)
        }
    }
}

fn read(path: &Path) -> anyhow::Result<Recording> {
    let shown = path.display();
    let text = profile::read_text(path).with_context(|| format!("cannot read the recording {shown}"))?;
    Recording::from_json(&text).with_context(|| match text.contains("\"defaultAction\"") {
        true => format!("{shown} is a profile and no recording: extend it with -i"),
        false => format!("cannot use {shown}"),
    })
}
