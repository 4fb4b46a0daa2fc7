//! What a container asks for: its annotations, within the directories that are allowed.

use anyhow::Context;
use seccomp_trace_core::Arch;

use crate::allow::Allowed;
use crate::annotation::{self, Annotation};
use crate::options::{self, Options};
use crate::state::State;

/// Both annotations. Their paths are those to use: resolved where directories are confined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Where the profile goes and where it starts from.
    pub(crate) files: Annotation,
    /// How it is made; all defaults where there is no second annotation.
    pub(crate) options: Options,
}

impl Wanted {
    /// Reads the annotations of a State. `native` is this machine's ABI.
    ///
    /// # Errors
    /// One of them cannot be understood, or names a file that is not allowed.
    pub(crate) fn of(state: &State, allowed: &Allowed, native: Arch) -> anyhow::Result<Self> {
        let mut files = annotation::parse(state.annotation(annotation::KEY).unwrap_or_default())?;
        let mut options = match state.annotation(options::KEY) {
            Some(text) => options::parse(text, native)?,
            None => Options::default(),
        };
        let paths = [Some(&mut files.output), files.input.as_mut(), options.recording.as_mut()];
        for path in paths.into_iter().flatten() {
            *path = allowed.resolve(path).context("invalid annotation")?;
        }
        Ok(Self { files, options })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use seccomp_trace_profile::{Errno, Errnos};

    use super::*;

    fn wanted(annotations: &str, allowed: &[&Path]) -> Result<Wanted, String> {
        let text = format!(r#"{{"annotations":{{{annotations}}}}}"#);
        let state = crate::state::read(text.as_bytes()).unwrap();
        let allowed = Allowed::new(allowed.iter().map(PathBuf::from).collect());
        Wanted::of(&state, &allowed, Arch::X86_64).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn both_annotations_are_read_and_the_second_may_be_missing() {
        let first = r#""io.containers.trace-syscall":"of:/o""#;
        let alone = wanted(first, &[]).unwrap();
        assert_eq!(alone.files.output, Path::new("/o"));
        assert_eq!(alone.options, Options::default());
        let second = r#""io.containers.trace-syscall.options":"errno=eperm""#;
        let both = wanted(&format!("{first},{second}"), &[]).unwrap();
        assert_eq!(both.options.errno, Some(Errnos::With(Errno::EPERM)));
    }

    #[test]
    fn without_the_first_annotation_there_is_no_output() {
        for annotations in ["", r#""io.containers.trace-syscall":"""#] {
            let error = wanted(annotations, &[]).unwrap_err();
            assert!(error.starts_with("invalid annotation") && error.contains("mandatory"), "{error}");
        }
    }

    /// The recording would otherwise be a way around the directories.
    #[test]
    fn every_file_that_is_named_is_confined() {
        let folder = tempfile::tempdir().unwrap();
        let allowed = folder.path().canonicalize().unwrap();
        let inside = allowed.join("x");
        let inside = inside.display();
        for (paths, recording) in [
            (format!("of:{inside};if:/etc/passwd"), format!("{inside}2")),
            ("of:/etc/passwd".to_owned(), format!("{inside}2")),
            (format!("of:{inside}"), "/etc/passwd".to_owned()),
        ] {
            let text = format!(
                r#""io.containers.trace-syscall":"{paths}","io.containers.trace-syscall.options":"recording={recording}""#
            );
            let error = wanted(&text, &[&allowed]).unwrap_err();
            assert!(error.starts_with("invalid annotation: /etc/passwd "), "{error}");
            assert!(error.contains(&allowed.display().to_string()), "{error}");
            assert!(wanted(&text, &[]).is_ok());
        }
    }

    #[test]
    fn the_paths_are_those_that_were_checked() {
        let folder = tempfile::tempdir().unwrap();
        let allowed = folder.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("target", allowed.join("link")).unwrap();
        let text = format!(r#""io.containers.trace-syscall":"of:{}/link""#, allowed.display());
        assert_eq!(wanted(&text, &[&allowed]).unwrap().files.output, allowed.join("target"));
    }
}
