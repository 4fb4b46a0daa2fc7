//! `seccomp-trace generate`: a profile from recordings.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use seccomp_trace_core::Recording;

use crate::args::GenerateArgs;
use crate::exit::Exit;
use crate::profile::{self, ProfilePlan};

/// Runs `seccomp-trace generate`.
pub(crate) fn generate(args: &GenerateArgs) -> anyhow::Result<Exit> {
    let plan = ProfilePlan::resolve(&args.policy, args.args != "none")?;
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
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.with_context(|| format!("cannot read the recording {shown}"))?;
    Recording::from_json(&text).with_context(|| format!("cannot use {shown}"))
}
