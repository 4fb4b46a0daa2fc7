//! Names that a misspelt one may stand for.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};

/// One above the largest number in any table of public calls.
const NUMBERS: i32 = 1024;

/// At most three syscalls whose names are nearest to `name`; none where none is near.
///
/// ```
/// use seccomp_trace_profile::similar_names;
///
/// assert_eq!(similar_names("opnat")[0], "openat");
/// assert!(similar_names("completely_different").is_empty());
/// ```
#[must_use]
pub fn similar_names(name: &str) -> Vec<&'static str> {
    let calls = Arch::ALL.iter().flat_map(|arch| (0..NUMBERS).map(|nr| Syscall::new(*arch, nr)));
    let names: BTreeSet<&str> = calls.filter_map(Syscall::name).collect();
    let mut near: Vec<_> = names
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 5)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, known)| known).collect()
}
