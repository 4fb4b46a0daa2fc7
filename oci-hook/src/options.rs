//! The annotation `io.containers.trace-syscall.options`: `key=value` pairs separated by semicolons.

use std::collections::BTreeSet;
use std::path::PathBuf;

use seccomp_trace_core::{Arch, CaptureError, captures};
use seccomp_trace_profile::{Baseline, Errnos, Format, ProfileError};

/// The annotation's key.
pub(crate) const KEY: &str = "io.containers.trace-syscall.options";

/// What the annotation says; what it does not mention is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// `for`: the runtimes that the profile must work with.
    pub(crate) baseline: Option<Baseline>,
    /// `errno`: what a denied call returns.
    pub(crate) errno: Option<Errnos>,
    /// `recording`: where the recording goes; absolute.
    pub(crate) recording: Option<PathBuf>,
    /// `format`: the dialect of the profile.
    pub(crate) format: Option<Format>,
    /// `args`: of which calls an argument is recorded, as [`captures`] reads it.
    pub(crate) args: Option<String>,
}

/// Why the annotation cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("invalid annotation {KEY}")]
pub(crate) struct OptionsError(#[from] Trouble);

/// What is wrong with a part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{0:?} is not key=value")]
    Shape(String),
    #[error("unknown key {0:?} (known: for, errno, recording, format, args)")]
    Unknown(String),
    #[error("{0} is given twice")]
    Repeated(String),
    #[error("{0} has no value")]
    Empty(String),
    #[error("recording must be absolute: {0:?}")]
    Relative(String),
    #[error("unknown format {0:?} (known: oci, docker)")]
    Format(String),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Captures(#[from] CaptureError),
}

/// Reads the text of the annotation. `native` is this machine's ABI, whose calls `args` names.
pub(crate) fn parse(text: &str, native: Arch) -> Result<Options, OptionsError> {
    let mut options = Options::default();
    let mut seen = BTreeSet::new();
    for part in text.split(';') {
        let (key, value) = part.split_once('=').ok_or_else(|| Trouble::Shape(part.to_owned()))?;
        if !seen.insert(key) {
            return Err(Trouble::Repeated(key.to_owned()).into());
        }
        options.set(key, value, native)?;
    }
    Ok(options)
}

impl Options {
    fn set(&mut self, key: &str, value: &str, native: Arch) -> Result<(), Trouble> {
        let known = ["for", "errno", "recording", "format", "args"];
        if value.is_empty() && known.contains(&key) {
            return Err(Trouble::Empty(key.to_owned()));
        }
        match key {
            "for" => self.baseline = Some(value.parse()?),
            "errno" => self.errno = Some(value.parse()?),
            "recording" if value.starts_with('/') => self.recording = Some(value.into()),
            "recording" => return Err(Trouble::Relative(value.to_owned())),
            "format" => {
                let found = value.parse().ok().filter(|format: &Format| format.is_profile());
                self.format = Some(found.ok_or_else(|| Trouble::Format(value.to_owned()))?);
            }
            "args" => {
                captures(value, native)?;
                self.args = Some(value.to_owned());
            }
            _ => return Err(Trouble::Unknown(key.to_owned())),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use seccomp_trace_profile::Errno;

    use super::*;

    fn read(text: &str) -> Result<Options, OptionsError> {
        parse(text, Arch::X86_64)
    }

    #[test]
    fn every_option_is_read_in_any_order() {
        let text = "args=socket,prctl;format=oci;recording=/r/a=b.json;errno=eperm;for=crun";
        let expected = Options {
            baseline: Some(Baseline::Crun),
            errno: Some(Errnos::With(Errno::EPERM)),
            recording: Some("/r/a=b.json".into()),
            format: Some(Format::Oci),
            args: Some("socket,prctl".to_owned()),
        };
        assert_eq!(read(text).unwrap(), expected);
        let none = Options { baseline: Some(Baseline::None), ..Options::default() };
        assert_eq!(read("for=none").unwrap(), none);
    }

    /// Each names its part: the text is all that the user of a container engine sees.
    #[test]
    fn whatever_cannot_be_understood_is_an_error_that_says_what() {
        for (text, why) in [
            ("", "\"\" is not key=value"),
            ("for", "\"for\" is not key=value"),
            ("for=crun;", "\"\" is not key=value"),
            ("runtime=crun", "unknown key \"runtime\" (known: for"),
            ("runtime=", "unknown key"),
            (" for=crun", "unknown key \" for\""),
            ("For=crun", "unknown key"),
            ("for=crun;for=crun", "for is given twice"),
            ("errno=", "errno has no value"),
            ("for=youki", "runc, crun, any or none"),
            ("errno=EWHAT", "EWHAT"),
            ("recording=r.json", "recording must be absolute: \"r.json\""),
            ("format=systemd", "unknown format \"systemd\" (known: oci, docker)"),
            ("format=OCI", "unknown format"),
            ("args=openat2", "in memory"),
            ("args=read", "read"),
        ] {
            let error = format!("{:#}", anyhow::Error::new(read(text).unwrap_err()));
            assert!(error.starts_with("invalid annotation io.containers.trace-syscall.options: "), "{error}");
            assert!(error.contains(why), "{text:?}: {error}");
        }
    }
}
