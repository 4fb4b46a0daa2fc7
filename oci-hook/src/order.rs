//! From what a container asks for to a job that can be done when it has ended.

use std::path::Path;

use anyhow::Context;
use seccomp_trace_profile::{Job, Profile};
use serde_json::Value;

use crate::input;
use crate::wanted::Wanted;

/// A job that was found possible.
pub(crate) struct Order {
    pub(crate) job: Job,
    /// What containers that write to the same file must agree on: everything but a base that is that file itself, which
    /// changes when one of them ends.
    pub(crate) terms: Value,
    /// The file that the profile goes to, whatever it was called.
    pub(crate) place: String,
}

/// Reads the input, and finds out whether the outputs can be written.
pub(crate) fn place(wanted: &Wanted) -> anyhow::Result<Order> {
    let mut job = Job::new(&wanted.files.output);
    job.base = wanted.files.input.as_deref().map(read).transpose()?;
    let options = &wanted.options;
    job.baseline = options.baseline.map(|baseline| baseline.to_string());
    job.errno = options.errno.map(|errno| errno.to_string());
    job.recording.clone_from(&options.recording);
    job.format = options.format.map(|format| format.to_string());
    job.prepare()?;
    let mut agreed = job.clone();
    if wanted.files.input.as_deref().is_some_and(|input| is_same(input, &job.output)) {
        agreed.base = None;
    }
    Ok(Order { terms: serde_json::to_value(agreed)?, place: job.output.display().to_string(), job })
}

fn is_same(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// The text of a profile that is to be extended.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    let text =
        input::read(path).with_context(|| format!("cannot read the input profile {}", path.display()))?;
    Profile::from_json(&text).with_context(|| format!("cannot use the input profile {}", path.display()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::LARGEST;

    #[test]
    fn only_a_file_of_a_profiles_size_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let large = folder.path().join("large");
        std::fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
        let garbage = folder.path().join("garbage");
        std::fs::write(&garbage, "{}").unwrap();
        for (path, why) in [
            (pipe.as_path(), "not a regular file"),
            (Path::new("/dev/zero"), "not a regular file"),
            (folder.path(), "not a regular file"),
            (&large, "larger than 16 MiB"),
            (Path::new("/no/such/file"), "No such file"),
            (&garbage, "not a seccomp profile"),
        ] {
            let error = format!("{:#}", read(path).unwrap_err());
            assert!(error.contains(why) && error.contains(&*path.to_string_lossy()), "{error}");
        }
    }
}
