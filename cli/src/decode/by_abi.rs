//! What a table has under a name: something for all ABIs, and something else for some of them.

use std::collections::HashMap;

use seccomp_trace_core::Arch;

/// Entries by name, those of some ABIs alone with these.
#[derive(Debug)]
pub(super) struct ByAbi<T>(HashMap<&'static str, Vec<(Vec<Arch>, T)>>);

impl<T> Default for ByAbi<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T> ByAbi<T> {
    /// Adds an entry; without `arches` it is for all ABIs that have none of their own.
    pub(super) fn insert(&mut self, name: &'static str, arches: Vec<Arch>, entry: T) {
        self.0.entry(name).or_default().push((arches, entry));
    }

    /// The entry that an ABI has under this name.
    pub(super) fn get(&self, name: &str, arch: Arch) -> Option<&T> {
        let entries = self.0.get(name)?;
        let own = entries.iter().find(|(arches, _)| arches.contains(&arch));
        own.or_else(|| entries.iter().find(|(arches, _)| arches.is_empty())).map(|(_, entry)| entry)
    }
}

/// Splits `[ABI,ABI] rest`; without brackets the list is empty.
pub(super) fn split_arches(line: &'static str) -> Result<(Vec<Arch>, &'static str), String> {
    let Some((arches, rest)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) else {
        return Ok((Vec::new(), line));
    };
    let arches = arches.split(',').map(|name| name.parse().map_err(|error| format!("{line}: {error}")));
    Ok((arches.collect::<Result<_, _>>()?, rest))
}
