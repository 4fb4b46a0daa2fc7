//! Reading files that others name: only regular ones, and no more of them than is bearable.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::ensure;
use nix::libc::O_NONBLOCK;

/// More than any profile or `config.json` is.
pub(crate) const LARGEST: u64 = 16 << 20;

/// The text of a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    // Not to wait for the other end of a pipe.
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path)?;
    ensure!(file.metadata()?.is_file(), "it is not a regular file");
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text)?;
    ensure!(text.len() as u64 <= LARGEST, "it is larger than {} MiB", LARGEST >> 20);
    Ok(text)
}
