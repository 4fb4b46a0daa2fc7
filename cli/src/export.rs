//! `seccomp-trace export`: a profile in the form of another program.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use seccomp_trace_core::Arch;
use seccomp_trace_profile::{
    AlgebraError, Baseline, Compiled, ExportOptions, Exported, Filter, Format, Input, Policy, Profile,
    Resolved, Semantics, always_allowed, check, check_instances, diff, export, generate,
};

use crate::environment::{self, EnvironmentArgs};
use crate::exit::Exit;
use crate::input::read;
use crate::profile;
use crate::say::say;

/// `export`
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// A profile or a recording, told apart by its content (`-`: standard input)
    #[arg(value_name = "FILE|RECORDING")]
    file: PathBuf,
    /// oci, docker, kubernetes, systemd, seccompiler, bpf, pfc or list
    #[arg(long, short, value_name = "FORMAT")]
    format: Format,
    /// Write to FILE (`-`: standard output)
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// For a recording: the container runtime that will load the result: runc, crun, any or none
    #[arg(long = "for", value_name = "RUNTIME", default_value = "any")]
    runtime: Baseline,
    #[command(flatten)]
    environment: EnvironmentArgs,
    /// Keep what only container runtimes call also in formats that none of them loads
    #[arg(long)]
    keep_runtime: bool,
    /// Where the format has no place for conditions on arguments, allow the call with all arguments
    #[arg(long)]
    widen: bool,
    /// For bpf and pfc: the filter for this ABI alone, which kills callers of the others
    #[arg(long, value_name = "ARCH")]
    arch: Option<Arch>,
    /// For kubernetes: the object's name [default: the file's]
    #[arg(long)]
    name: Option<String>,
    /// Write the result without checking that it allows what FILE allows
    #[arg(long)]
    no_check: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// Runs `seccomp-trace export`.
pub(crate) fn run(args: &ExportArgs) -> anyhow::Result<Exit> {
    let (environment, native) = args.environment.resolve()?;
    let output = profile::prepare_output(&args.output)?;
    let profile = load(args, &environment)?;
    let options = ExportOptions {
        environment,
        native,
        name: args.name.clone().unwrap_or_else(|| stem(&args.file)),
        keep_runtime: args.keep_runtime,
        widen: args.widen,
        only: args.arch,
    };
    let shown = args.file.display();
    let exported =
        export(&profile, args.format, &options).with_context(|| format!("cannot export {shown}"))?;
    if !args.quiet && args.format != Format::Docker {
        environment::say(&profile, &options.environment, native);
    }
    if args.no_check {
        say!("warning: the result was not checked (--no-check)");
    } else {
        check_result(&profile, &exported, args.format, &options)
            .context("the result failed its check and was not written")?;
    }
    profile::write(&output, &exported.bytes, args.quiet)?;
    if !args.quiet {
        for note in &exported.notes {
            say!("note: {note}");
        }
    }
    Ok(Exit::SUCCESS)
}

/// The profile of the file, or the one that its recording gives, which is checked like any other.
fn load(args: &ExportArgs, environment: &seccomp_trace_profile::Environment) -> anyhow::Result<Profile> {
    let shown = args.file.display();
    let text = read(&args.file)?;
    match Input::from_json(&text).with_context(|| format!("cannot use {shown}"))? {
        Input::Profile(profile) => Ok(*profile),
        Input::Recording(recording) => {
            profile::completeness(&recording, false)?;
            let policy = Policy { baseline: args.runtime, ..Policy::default() };
            let generated = generate(&recording, &policy).context("cannot make a profile")?;
            if !args.no_check {
                let _report = check_instances(&generated.profile, &generated.instances, environment)
                    .context("the profile failed its check")?;
            }
            Ok(generated.profile)
        }
    }
}

/// Reads the result back, and compares what its filter does with what that of the profile does, for all calls of every
/// listed ABI and all arguments. Forms that are not read back are of a profile that at least can be compiled.
fn check_result(
    profile: &Profile,
    exported: &Exported,
    format: Format,
    options: &ExportOptions,
) -> anyhow::Result<()> {
    if !format.is_profile() {
        let resolved = Resolved::new(profile, &options.environment, options.native)?;
        match options.only {
            Some(arch) => drop(Compiled::new(&resolved, arch)?),
            None => drop(Filter::new(&resolved)?),
        }
        return Ok(());
    }
    let text = std::str::from_utf8(&exported.bytes).context("the result is not text")?;
    let result = Profile::from_json(text).context("the result is not a profile")?;
    let meaning = |profile: &Profile| {
        let resolved = Resolved::new(profile, &options.environment, options.native)?;
        Semantics::compiled(profile, &resolved)
    };
    let meant = match meaning(profile) {
        // Of such an architecture there is no table: what the result must allow is all that can be looked at.
        Err(AlgebraError::UnmodelledArch { .. }) => {
            let wanted = always_allowed(profile, &options.environment, options.native)?;
            let _report = check(&result, &wanted, &options.environment)?;
            return Ok(());
        }
        other => other?,
    };
    let found = diff(&meant, &meaning(&result)?)?;
    let Some(change) = found.changes.first() else { return Ok(()) };
    bail!("it does not do what the profile does: it {change}")
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::Arch;

    use super::*;

    const PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[
        {"names":["read","write"],"action":"SCMP_ACT_ALLOW"},
        {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#;

    fn checked(text: &str) -> Result<(), String> {
        let profile = Profile::from_json(PROFILE).map_err(|error| error.to_string())?;
        let exported = Exported { bytes: text.as_bytes().to_vec(), notes: Vec::new() };
        check_result(&profile, &exported, Format::Oci, &ExportOptions::new(Arch::X86_64))
            .map_err(|error| format!("{error:#}"))
    }

    /// The writers are right as far as is known: what they could do wrong is done here for them.
    #[test]
    fn a_result_that_does_something_else_is_not_written() {
        assert_eq!(checked(PROFILE), Ok(()));
        for (broken, told) in [
            (PROFILE.replace(r#""read","#, ""), "read"),
            (PROFILE.replace(r#""write""#, r#""write","ptrace""#), "ptrace"),
            (PROFILE.replace(r#""value":1"#, r#""value":2"#), "socket"),
            (PROFILE.replace(r#""SCMP_ARCH_X86_64""#, r#""SCMP_ARCH_X86_64","SCMP_ARCH_X86""#), "x86"),
            ("{".to_owned(), "not a profile"),
        ] {
            let error = checked(&broken).unwrap_err();
            assert!(error.contains(told), "{told}: {error}");
        }
    }
}
