//! `-e` of `trace`.

use seccomp_trace_core::{Arch, Selection};

use super::understood;
use crate::expression::{Filter, Wrong};

/// Expressions are what stands between line feeds; each is read by itself as well.
pub fn target(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    // A regular expression is matched with some thousand names, in time that grows with it.
    if text.len() > 200 {
        return false;
    }
    let mut all = Filter::default();
    let mut any = false;
    for line in text.lines() {
        for native in [Arch::X86_64, Arch::Aarch64] {
            let mut alone = Filter::default();
            let result = alone.add(line, native);
            if let Err(Wrong::Call { near, .. }) = &result {
                assert!(near.len() <= 3);
            }
            any |= understood(result).is_some();
            let (Selection::Only(calls) | Selection::Except(calls)) = &alone.calls;
            assert!(calls.iter().all(|call| call.arch.native_of() == native), "{line}: {calls:?}");
        }
        // Of several the last counts, whatever came before.
        let _ = all.add(line, Arch::X86_64);
    }
    any
}
