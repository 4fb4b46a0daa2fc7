//! Whole groups by their names.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};

use crate::Group;

/// systemd allows this group in every allow list.
const ALWAYS: &str = "@default";

/// The calls that systemd allows in every allow list, as far as these ABIs have them.
pub(super) fn always(arches: &[Arch]) -> impl Iterator<Item = &'static str> {
    Group::named(ALWAYS).into_iter().flat_map(|group| present(group, arches))
}

/// Names, with each group of which every call is there in place of its calls. A call that none of the ABIs has does
/// not count: it changes no filter.
pub(super) fn fold(names: &BTreeSet<String>, arches: &[Arch]) -> Vec<String> {
    let mut whole: Vec<(&Group, BTreeSet<&str>)> = Group::all()
        .iter()
        .map(|group| (group, present(group, arches).collect::<BTreeSet<_>>()))
        .filter(|(_, calls)| calls.len() > 1 && calls.iter().all(|call| names.contains(*call)))
        .collect();
    // The largest first: what is inside one that was taken is said already.
    whole.sort_by_key(|(group, calls)| (std::cmp::Reverse(calls.len()), group.name()));
    let mut said = BTreeSet::new();
    let mut words = Vec::new();
    for (group, calls) in whole {
        if !calls.is_subset(&said) {
            words.push(group.name().to_owned());
            said.extend(calls);
        }
    }
    words.sort();
    words.extend(names.iter().filter(|name| !said.contains(name.as_str())).cloned());
    words
}

fn present(group: &'static Group, arches: &[Arch]) -> impl Iterator<Item = &'static str> {
    let exists = |call: &str| arches.iter().any(|arch| Syscall::from_name(*arch, call).is_some());
    group.calls().iter().copied().filter(move |call| exists(call))
}
