//! `-P`: only calls that access certain paths.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::decode::text::AT_FDCWD;
use crate::decode::value::Value;
use crate::decode::{Decoded, Ended};

/// The paths that are looked for; none: every call will do.
#[derive(Debug, Default)]
pub(crate) struct Paths(Vec<Vec<u8>>);

impl Paths {
    /// As they were given, and where they lead to from here.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        let real = |path: &PathBuf| path.canonicalize().ok();
        let all = paths.iter().flat_map(|path| [Some(path.clone()), real(path)]).flatten();
        let mut bytes: Vec<Vec<u8>> = all.map(|path| path.as_os_str().as_bytes().to_vec()).collect();
        bytes.sort_unstable();
        bytes.dedup();
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an argument or the result is one of them, or a descriptor of one.
    pub(crate) fn admit(&self, decoded: &Decoded) -> bool {
        let result = match &decoded.ended {
            Ended::Returned { value, .. } => Some(value),
            _ => None,
        };
        let mut values = decoded.arguments.iter().map(|argument| &argument.value).chain(result);
        self.is_empty()
            || values.any(|value| match value {
                Value::Text(text) => self.0.contains(&text.bytes),
                // The working directory is named in most calls, with absolute paths too.
                Value::Descriptor { number, directory, target: Some(Some(target)) } => {
                    !(*directory && *number == AT_FDCWD) && self.0.contains(target)
                }
                _ => false,
            })
    }
}
