//! `seccomp-trace subset`: whether everything that one profile allows, another allows too.

use anyhow::Context;
use seccomp_trace_core::Arch;
use seccomp_trace_profile::{Counterexample, subset};
use serde::Serialize;

use crate::diff::TwoArgs;
use crate::environment::{self, Used};
use crate::exit::Exit;
use crate::load::load;
use crate::say::{self, out};

#[derive(Serialize)]
struct Report {
    environment: Used,
    subset: bool,
    /// What A allows and B does not: for each call and way, one set of arguments.
    counterexamples: Vec<Case>,
}

#[derive(Serialize)]
struct Case {
    arch: Arch,
    syscall: String,
    nr: i32,
    args: [u64; 6],
    /// What B does; `null` where it does not cover the architecture.
    verdict: Option<String>,
}

impl From<&Counterexample> for Case {
    fn from(found: &Counterexample) -> Self {
        Self {
            arch: found.call.arch,
            syscall: found.call.to_string(),
            nr: found.call.nr.0,
            args: found.args,
            verdict: found.verdict.map(|verdict| verdict.to_string()),
        }
    }
}

/// Runs `seccomp-trace subset`.
pub(crate) fn run(args: &TwoArgs) -> anyhow::Result<Exit> {
    let (environment, native) = args.environment.resolve()?;
    let sides = load(&[args.a.clone(), args.b.clone()], &environment, native)?;
    let found = subset(&sides[0].meaning, &sides[1].meaning).context("cannot compare the profiles")?;
    let found = found.err().unwrap_or_default();
    let status = if found.is_empty() { Exit::SUCCESS } else { Exit::FOUND };
    if args.quiet {
        return Ok(status);
    }
    environment::say_used(&environment, native);
    if args.json {
        let report = Report {
            environment: Used::new(&environment, native),
            subset: found.is_empty(),
            counterexamples: found.iter().map(Case::from).collect(),
        };
        say::document(&serde_json::to_string_pretty(&report)?);
    } else {
        found
            .iter()
            .for_each(|case| out!("{} allows what {} does not: {case}", sides[0].name, sides[1].name));
    }
    Ok(status)
}
