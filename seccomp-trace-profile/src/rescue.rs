//! Keeping a recording that could not be put where it belongs.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use seccomp_trace_core::Recording;

/// Keeps a recording in the directory for temporary files, for its owner alone, under a name that nobody can foresee,
/// and says where. What was recorded may not be easy to record again.
///
/// # Errors
/// The file cannot be written.
pub fn rescue(recording: &Recording) -> io::Result<PathBuf> {
    let run = recording.runs().keys().next().map(ToString::to_string).unwrap_or_default();
    let path = std::env::temp_dir().join(format!("seccomp-trace-{run}.json"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    match file.write_all(recording.to_json().as_bytes()) {
        Ok(()) => Ok(path),
        Err(error) => {
            drop(std::fs::remove_file(&path));
            Err(error)
        }
    }
}
