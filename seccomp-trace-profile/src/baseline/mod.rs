//! What a profile must hold besides what was recorded: the runtime's own calls, and those that no recording
//! contains reliably.

mod always;
mod table;

use std::fmt;
use std::str::FromStr;

pub use always::{ALWAYS, Always};
pub use table::{BASELINE_VERSION, BASELINES, BaselineEntry, RuntimeBaseline};

use crate::ProfileError;

/// Which runtimes a profile must be able to start a container with.
///
/// Between installing the filter and the exec the runtime itself makes calls, and without them the container
/// never starts. A recording holds those of the runtime it was made with; some of them only by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Baseline {
    /// runc.
    Runc,
    /// crun.
    Crun,
    /// Every runtime that this program has a baseline of.
    #[default]
    Any,
    /// None: the profile is for a program that no runtime starts.
    None,
}

impl Baseline {
    /// The baselines that this choice stands for.
    pub fn runtimes(self) -> impl Iterator<Item = &'static RuntimeBaseline> {
        let name = self.to_string();
        BASELINES.iter().filter(move |baseline| self == Self::Any || baseline.runtime == name)
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Runc => "runc",
            Self::Crun => "crun",
            Self::Any => "any",
            Self::None => "none",
        })
    }
}

impl FromStr for Baseline {
    type Err = ProfileError;

    fn from_str(text: &str) -> Result<Self, ProfileError> {
        [Self::Runc, Self::Crun, Self::Any, Self::None]
            .into_iter()
            .find(|baseline| baseline.to_string() == text)
            .ok_or_else(|| ProfileError::UnknownBaseline { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::Arch;

    use super::*;
    use seccomp_trace_core::Syscall;

    #[test]
    fn every_choice_is_read_back_and_another_is_refused_with_the_list() {
        for baseline in [Baseline::Runc, Baseline::Crun, Baseline::Any, Baseline::None] {
            assert_eq!(baseline.to_string().parse::<Baseline>().unwrap(), baseline);
        }
        let error = "youki".parse::<Baseline>().unwrap_err().to_string();
        assert!(error.contains("runc, crun, any or none"), "{error}");
        assert_eq!(Baseline::None.runtimes().count(), 0);
        assert_eq!(Baseline::Any.runtimes().count(), 2);
    }

    /// A misspelt name would be skipped by every runtime without a word.
    #[test]
    fn every_entry_names_a_call_of_both_native_abis_once_and_in_order() {
        for baseline in &BASELINES {
            assert!(baseline.entries.is_sorted_by(|a, b| a.name < b.name), "{}", baseline.runtime);
            for entry in baseline.entries {
                for arch in [Arch::X86_64, Arch::Aarch64] {
                    assert!(Syscall::from_name(arch, entry.name).is_some(), "{arch} {}", entry.name);
                }
                assert!(entry.run || entry.exec, "{} is for nothing", entry.name);
            }
        }
        for always in &ALWAYS {
            for arch in always.arches {
                assert!(Syscall::from_name(*arch, always.name).is_some(), "{arch} {}", always.name);
            }
        }
    }
}
