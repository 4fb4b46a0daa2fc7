//! A profile that something runs under: what `verify` and `attach --denied` ask it about denials.

use std::path::Path;

use anyhow::Context;
use seccomp_trace_core::{Arch, Denials, Watch};
use seccomp_trace_profile::{
    Environment, Filter, Judgement, Output, Profile, Resolved, Verdict, allow_denied, judge,
};

use crate::denials::Report;
use crate::environment::{self, EnvironmentArgs};
use crate::profile::{self, read_base};
use crate::say::say;

/// The profile with the filter that is made of it.
pub(crate) struct Profiled {
    profile: Profile,
    environment: Environment,
    native: Arch,
    filter: Filter,
}

impl Profiled {
    /// Reads and compiles it.
    pub(crate) fn read(path: &Path, environment: &EnvironmentArgs) -> anyhow::Result<Self> {
        let profile = read_base(path)?;
        let (environment, native) = environment.resolve()?;
        let filter =
            Resolved::new(&profile, &environment, native).and_then(|resolved| Filter::new(&resolved));
        let filter = filter.with_context(|| format!("cannot use {}", path.display()))?;
        Ok(Self { profile, environment, native, filter })
    }

    /// The machine that it is for.
    pub(crate) fn native(&self) -> Arch {
        self.native
    }

    /// What is installed.
    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// What is to be reported though it is executed: what is logged, and with `log_only` what would be denied.
    pub(crate) fn watch(&self, log_only: bool) -> Watch {
        self.filter.watch(|verdict| match verdict {
            Verdict::Allow => false,
            Verdict::Log => true,
            _ => log_only,
        })
    }

    /// Says of each denial whose it is, and by which rule.
    pub(crate) fn judge(&self, denials: &Denials, log_only: bool) -> anyhow::Result<(Judgement, Report)> {
        let judgement = judge(Some(&self.filter), &denials.all);
        let resolved = Resolved::new(&self.profile, &self.environment, self.native)?;
        let report = Report::new(&judgement, denials, Some(&resolved), log_only);
        Ok((judgement, report))
    }

    /// Says what the rules were evaluated for, where any of them depends on it.
    pub(crate) fn say_environment(&self) {
        environment::say(&self.profile, &self.environment, self.native);
    }

    /// Writes the profile that allows also what was denied.
    pub(crate) fn update(&self, judgement: &Judgement, output: &Output, quiet: bool) -> anyhow::Result<()> {
        let made = allow_denied(&self.profile, &self.environment, self.native, judgement)
            .context("no profile that allows it was written")?;
        profile::write(output, made.profile.to_json(), quiet)?;
        if quiet {
            return Ok(());
        }
        let list = |names: Vec<String>| names.join(" ");
        if !made.taken_out.is_empty() {
            say!("taken out of rules that deny them: {}", list(made.taken_out.into_iter().collect()));
        }
        if !made.unnamed.is_empty() {
            let numbers = made.unnamed.iter().map(ToString::to_string).collect();
            say!("still denied, because the numbers have no name: {}", list(numbers));
        }
        let path = output.path().display();
        say!(
            "use it: seccomp-trace verify --profile {path} …, or podman run --security-opt seccomp={path} IMAGE"
        );
        Ok(())
    }
}
