//! The annotation of options.

use seccomp_trace_core::{Arch, captures};

use super::understood;
use crate::options;

/// What is read is fit for use, and does not depend on the order of its parts.
pub fn target(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let mut read_any = false;
    for native in [Arch::X86_64, Arch::Aarch64] {
        let Some(read) = understood(options::parse(text, native)) else { continue };
        assert!(read.recording.as_ref().is_none_or(|path| path.is_absolute()));
        assert!(read.format.is_none_or(|format| format.is_profile()));
        if let Some(names) = &read.args {
            captures(names, native).expect("the names have been looked at");
        }
        let reversed: Vec<&str> = text.split(';').rev().collect();
        assert_eq!(options::parse(&reversed.join(";"), native).expect("the same parts"), read);
        read_any = true;
    }
    read_any
}
