//! `seccomp-trace generate`: a profile from recordings.

use std::path::{Path, PathBuf};

use anyhow::Context;
use seccomp_trace_core::Recording;

use crate::args::GenerateArgs;
use crate::exit::Exit;
use crate::load::one_standard_input;
use crate::profile::{self, ProfilePlan};

/// Runs `seccomp-trace generate`.
pub(crate) fn generate(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let plan = ProfilePlan::resolve(&args.policy, args.args != "none")?;
    one_standard_input(args.recordings.iter().chain(&args.policy.base).map(PathBuf::as_path))?;
    let mut recording = Recording::default();
    for path in &args.recordings {
        recording.merge(read(path)?);
    }
    plan.make(&recording, args.quiet)?;
    profile::completeness(&recording, args.strict)?;
    Ok(Exit::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Recording> {
    let shown = path.display();
    let text = profile::read_text(path).with_context(|| format!("cannot read the recording {shown}"))?;
    Recording::from_json(&text).with_context(|| match text.contains("\"defaultAction\"") {
        true => format!("{shown} is a profile and no recording: extend it with -i"),
        false => format!("cannot use {shown}"),
    })
}
