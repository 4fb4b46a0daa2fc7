//! Reading files that are named on the command line.

use std::path::Path;

use anyhow::Context;

use crate::profile;

/// The text of a file; `-` is standard input.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    profile::read_text(path).with_context(|| format!("cannot read {}", path.display()))
}
