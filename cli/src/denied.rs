//! `attach --denied`: what is denied to something that runs already.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use seccomp_trace_core::{Denials, Watch};
use seccomp_trace_profile::{Output, judge};

use crate::confined::any_file;
use crate::denials::Report;
use crate::environment::EnvironmentArgs;
use crate::profile::prepare_output;
use crate::profiled::Profiled;
use crate::say;

/// The options.
#[derive(Debug, Args)]
pub(crate) struct DeniedArgs {
    /// Say which calls are denied (`--denied=json`: as one JSON object on standard output), and end with 1 where any is
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "text", value_parser = ["text", "json"])]
    denied: Option<String>,
    /// The profile that the target runs under: says which rule denies a call, and tells it from filters of the program's
    /// own
    #[arg(long, value_name = "FILE", requires = "denied")]
    profile: Option<PathBuf>,
    /// Write a profile to FILE2 that allows also what was denied
    #[arg(long, value_name = "FILE2", requires = "profile")]
    update: Option<PathBuf>,
}

/// The same with the files looked at.
pub(crate) struct DeniedPlan {
    json: bool,
    profiled: Option<Profiled>,
    update: Option<Output>,
}

impl DeniedPlan {
    /// `None` where nobody asks.
    pub(crate) fn resolve(args: &DeniedArgs, environment: &EnvironmentArgs) -> anyhow::Result<Option<Self>> {
        let Some(form) = &args.denied else { return Ok(None) };
        let update = args.update.as_deref().map(prepare_output).transpose()?;
        let profiled = args.profile.as_deref().map(|path| Profiled::read(path, environment)).transpose()?;
        Ok(Some(Self { json: form == "json", profiled, update }))
    }

    /// Refuses to mix the report with something else on standard output.
    pub(crate) fn standard_output_is_free(&self, taken: bool) -> anyhow::Result<()> {
        let outputs = [self.json, taken, self.update.as_ref().is_some_and(Output::is_standard_output)];
        ensure!(
            outputs.into_iter().filter(|taken| *taken).count() <= 1,
            "--denied=json and another output are both standard output; give that a FILE"
        );
        Ok(())
    }

    /// Whether the update is a file.
    pub(crate) fn writes_a_file(&self) -> bool {
        any_file(&self.update)
    }

    /// What is to be reported though it is executed.
    pub(crate) fn watch(&self) -> Watch {
        self.profiled.as_ref().map_or_else(Watch::new, |profiled| profiled.watch(false))
    }

    /// Says what was denied, and writes the update. Whether anything was.
    pub(crate) fn report(&self, denials: &Denials, quiet: bool) -> anyhow::Result<bool> {
        let (judgement, report) = match &self.profiled {
            Some(profiled) => profiled.judge(denials, false)?,
            None => {
                let judgement = judge(None, &denials.all);
                let report = Report::new(&judgement, denials, None, false);
                (judgement, report)
            }
        };
        if self.json {
            say::document(&report.to_json()?);
        } else if !quiet {
            report.say();
        }
        if let (Some(profiled), Some(output)) = (&self.profiled, &self.update) {
            profiled.update(&judgement, output, quiet)?;
        }
        Ok(judgement.denied().next().is_some())
    }
}
