//! What a profile says besides verdicts: how the filter is installed, and whom `SCMP_ACT_NOTIFY` asks.

use std::collections::BTreeSet;

use crate::{Combination, Profile};

/// A supervisor: the path of its socket, and what it is told.
pub(crate) type Listener = (Option<String>, Option<String>);

/// Flags and supervisors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Installation {
    /// `None`: the profile has no list, and the runtime's default counts, which need not be the empty one.
    pub(crate) flags: Option<BTreeSet<String>>,
    pub(crate) listeners: BTreeSet<Listener>,
}

impl Installation {
    pub(crate) fn of(profile: &Profile) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let listener = (text(profile.listener_path()), text(profile.listener_metadata()));
        Self {
            flags: profile.has_flags().then(|| profile.flags().iter().cloned().collect()),
            listeners: Some(listener).filter(|listener| *listener != (None, None)).into_iter().collect(),
        }
    }

    /// Flags are joined in a union and met in an intersection, no list being less than an empty one: a lattice, like
    /// the verdicts. Supervisors are collected: a profile has one, and whether that is a conflict is known when it is
    /// known whether anybody is asked.
    pub(crate) fn combine(&self, other: &Self, how: Combination) -> Self {
        let flags = match (&self.flags, &other.flags, how) {
            (Some(one), Some(two), Combination::Union) => Some(one | two),
            (Some(one), Some(two), Combination::Intersection) => Some(one & two),
            (one, two, Combination::Union) => one.clone().or_else(|| two.clone()),
            (_, _, Combination::Intersection) => None,
        };
        Self { flags, listeners: &self.listeners | &other.listeners }
    }
}
