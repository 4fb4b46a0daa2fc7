//! Profiles that several verbs compare or merge: read, evaluated for one container and machine, and understood.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use seccomp_trace_core::Arch;
use seccomp_trace_profile::{Environment, Profile, Resolved, Semantics};

use crate::profile::read_base;

/// A profile and what it means.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) profile: Profile,
    pub(crate) meaning: Semantics,
}

/// Reads profiles in any dialect.
pub(crate) fn load(
    paths: &[PathBuf],
    environment: &Environment,
    native: Arch,
) -> anyhow::Result<Vec<Loaded>> {
    one_standard_input(paths.iter().map(PathBuf::as_path))?;
    let one = |path: &PathBuf| {
        let profile = read_base(path)?;
        let name = path.display().to_string();
        let resolved =
            Resolved::new(&profile, environment, native).with_context(|| format!("cannot use {name}"))?;
        let meaning =
            Semantics::compiled(&profile, &resolved).with_context(|| format!("cannot use {name}"))?;
        Ok(Loaded { name, profile, meaning })
    };
    paths.iter().map(one).collect()
}

/// Refuses to read standard input twice.
pub(crate) fn one_standard_input<'a>(paths: impl Iterator<Item = &'a Path>) -> anyhow::Result<()> {
    ensure!(paths.filter(|path| *path == Path::new("-")).count() <= 1, "standard input can be read once");
    Ok(())
}
