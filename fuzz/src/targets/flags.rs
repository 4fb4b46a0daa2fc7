//! The hook's command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::understood;
use crate::args::{self, Request};

/// Words are what stands between NUL bytes, which are what no word can hold. Paths are absolute, processes exist.
pub fn target(data: &[u8]) -> bool {
    let words = data.split(|byte| *byte == 0).map(|word| OsStr::from_bytes(word).to_owned());
    let words: Vec<OsString> = std::iter::once("oci-seccomp-bpf-hook".into()).chain(words).collect();
    match understood(args::parse(&words)) {
        Some(Request::Hook(hook)) => {
            assert!(hook.allow_dirs.iter().chain([&hook.state_dir]).all(|path| path.is_absolute()));
        }
        Some(Request::Trace(trace)) => {
            assert!(trace.pid.0 > 0 && i32::try_from(trace.pid.0).is_ok(), "{trace:?}");
            assert!(trace.output.is_absolute() && trace.input.is_none_or(|path| path.is_absolute()));
        }
        Some(Request::Version | Request::Help) => {}
        None => return false,
    }
    true
}
