//! `--compare FILE`: whether an existing profile allows what was recorded, and what it allows besides.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use seccomp_trace_core::{Arch, Recording};
use seccomp_trace_profile::{Baseline, Comparison, Environment, Profile, compare};
use serde::Serialize;

use crate::environment::{self, Used};
use crate::profile::read_base;
use crate::say::{self, say};

/// The options.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Compare what was recorded with the profile FILE: fail where FILE denies what is needed, and say what it allows
    /// that was never used
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,
    /// Fail also where FILE allows what was never used
    #[arg(long, requires = "compare")]
    deny_unused: bool,
    /// Print the comparison as one JSON object on standard output; of `run` and `attach` also the summary
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is to be compared with; the file has been read.
pub(crate) struct ComparePlan {
    name: String,
    profile: Profile,
    environment: Environment,
    native: Arch,
    baseline: Baseline,
    deny_unused: bool,
    json: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    environment: Used,
    profile: &'a str,
    #[serde(flatten)]
    comparison: &'a Comparison,
}

impl ComparePlan {
    /// Reads FILE, so that a wrong one is told before anything is run.
    pub(crate) fn resolve(
        args: &CompareArgs,
        environment: &Environment,
        native: Arch,
        baseline: Baseline,
    ) -> anyhow::Result<Option<Self>> {
        let Some(path) = &args.compare else { return Ok(None) };
        let plan = Self {
            name: path.display().to_string(),
            profile: read_base(path)?,
            environment: environment.clone(),
            native,
            baseline,
            deny_unused: args.deny_unused,
            json: args.json,
        };
        // A profile that no runtime takes is no profile to compare with; an empty recording finds that out.
        plan.look(&Recording::default())?;
        Ok(Some(plan))
    }

    fn look(&self, recording: &Recording) -> anyhow::Result<Comparison> {
        compare(recording, &self.profile, &self.environment, self.baseline)
            .with_context(|| format!("cannot compare with {}", self.name))
    }

    /// Says what was found; an error where the comparison fails.
    pub(crate) fn report(&self, recording: &Recording, quiet: bool) -> anyhow::Result<Found> {
        let found = self.look(recording)?;
        if self.json {
            let environment = Used::new(&self.environment, self.native);
            let report = Report { environment, profile: &self.name, comparison: &found };
            say::document(&serde_json::to_string_pretty(&report)?);
        } else if !quiet {
            environment::say_used(&self.environment, self.native);
            self.say(&found);
        }
        let too_much = self.deny_unused && found.allows_too_much();
        Ok(match (found.denied.is_empty(), too_much) {
            (true, false) => Found::Nothing,
            (false, _) => Found::Trouble(format!("{} denies what was recorded", self.name)),
            (true, true) => Found::Trouble(format!("{} allows what was never used", self.name)),
        })
    }

    fn say(&self, found: &Comparison) {
        let name = &self.name;
        for denied in &found.denied {
            say!("needed, and {name} denies it: {denied}");
        }
        let arches: Vec<String> = found.unused_arches.iter().map(ToString::to_string).collect();
        for (what, list) in [
            (
                "executed for some arguments only, and they were not recorded",
                sorted(&found.depends_on_arguments),
            ),
            ("allowed, and never used", sorted(&found.unused)),
            ("allowed, and never used with this value", sorted(&found.unused_values)),
            ("covered, and never used as an architecture", arches.join(" ")),
        ] {
            if !list.is_empty() {
                say!("{name}: {what}: {list}");
            }
        }
        if found.allows_by_default {
            say!("{name}: calls that it does not name are allowed");
        }
    }
}

fn sorted(names: &std::collections::BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// How a comparison ended.
pub(crate) enum Found {
    Nothing,
    /// What makes it fail.
    Trouble(String),
}

impl Found {
    /// For `run`, where all that fails is an error.
    pub(crate) fn into_result(self) -> anyhow::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Trouble(what) => Err(anyhow::Error::msg(what)),
        }
    }
}

/// Refuses to mix the comparison with something else on standard output.
pub(crate) fn standard_output_is_free(args: &CompareArgs, taken: bool) -> anyhow::Result<()> {
    ensure!(!(args.json && taken), "--json and another output are both standard output; give that a FILE");
    Ok(())
}
