//! systemd's groups of syscalls: what `@file-system` and its like hold, for explanations and for drop-ins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The release of systemd that the groups are of. Newer ones may hold more calls.
pub const SYSTEMD_VERSION: u32 = 252;

static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| parse(include_str!("systemd.txt")));

/// A group of syscalls under the name that systemd gives it.
///
/// ```
/// use seccomp_trace_profile::Group;
///
/// let names: Vec<_> = Group::of("openat").map(|group| group.name()).collect();
/// assert_eq!(names, ["@file-system", "@system-service"]);
/// assert!(Group::named("@mount").unwrap().calls().contains("pivot_root"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    name: &'static str,
    about: &'static str,
    calls: BTreeSet<&'static str>,
}

impl Group {
    /// Every group, in systemd's order. `@known`, which has every call, is not one of them.
    #[must_use]
    pub fn all() -> &'static [Self] {
        &GROUPS
    }

    /// The group of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        GROUPS.iter().find(|group| group.name == name)
    }

    /// The groups that hold a call, in systemd's order.
    pub fn of(call: &str) -> impl Iterator<Item = &'static Self> {
        GROUPS.iter().filter(move |group| group.calls.contains(call))
    }

    /// The name, with its `@`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the group is for, in systemd's words.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.about
    }

    /// Its calls, those of the groups in it included.
    #[must_use]
    pub fn calls(&self) -> &BTreeSet<&'static str> {
        &self.calls
    }
}

fn parse(text: &'static str) -> Vec<Group> {
    let mut order = Vec::new();
    let mut members: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, about)) = line.split_once(" - ") {
            order.push((name, about));
        } else if let Some((name, _)) = order.last() {
            members.entry(name).or_default().extend(line.split_whitespace());
        }
    }
    let group = |(name, about)| Group { name, about, calls: flat(name, &members) };
    order.into_iter().map(group).collect()
}

/// The calls of a group and of the groups in it. systemd has no group that contains itself.
fn flat<'a>(name: &str, members: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut calls = BTreeSet::new();
    for member in members.get(name).into_iter().flatten() {
        if member.starts_with('@') {
            calls.extend(flat(member, members));
        } else {
            calls.insert(*member);
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_hold_the_calls_of_the_groups_in_them() {
        let service = Group::named("@system-service").unwrap();
        assert!(service.calls().is_superset(Group::named("@file-system").unwrap().calls()));
        assert!(Group::all().iter().all(|group| group.calls.len() > 1 && !group.about.is_empty()));
        assert!(
            include_str!("systemd.txt")
                .starts_with(&format!("# The syscall groups of systemd {SYSTEMD_VERSION}:"))
        );
    }
}
