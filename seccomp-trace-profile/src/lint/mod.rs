//! Profiles that cannot be used, do not protect, or do not say what they seem to say.

mod code;
#[cfg(feature = "libseccomp")]
mod compiled;
mod document;
mod inequalities;
mod machine;
mod pointers;

use std::collections::BTreeSet;

pub use code::{Code, Severity};
use seccomp_trace_core::Arch;
use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::{Baseline, Environment, Profile, Resolved};

/// Something about a profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// Where in the document: a path of keys and indices.
    pub path: String,
    /// What is the matter there.
    pub message: String,
}

impl Finding {
    fn new(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: path.into(), message: message.into() }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

impl Serialize for Finding {
    /// With code, severity, path, message and remedy.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 5)?;
        object.serialize_field("code", self.code.id())?;
        object.serialize_field("severity", &self.severity())?;
        object.serialize_field("path", &self.path)?;
        object.serialize_field("message", &self.message)?;
        object.serialize_field("remedy", self.code.remedy())?;
        object.end()
    }
}

/// Looks at a profile on every kind of machine that it is for, in `environment`, for a container that the runtimes of
/// `baseline` start ([`Baseline::None`]: for no container). The findings are in a fixed order.
///
/// ```
/// use seccomp_trace_profile::{Baseline, Code, Environment, Profile, lint};
///
/// let profile = Profile::from_json(r#"{"defaultAction": "SCMP_ACT_ALLOW"}"#)?;
/// let findings = lint(&profile, &Environment::default(), Baseline::None);
/// assert_eq!(findings[0].code, Code::DefaultAllow);
/// assert_eq!(findings[0].path, "defaultAction");
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[must_use]
pub fn lint(profile: &Profile, environment: &Environment, baseline: Baseline) -> Vec<Finding> {
    let mut findings = document::look(profile);
    for native in natives(profile) {
        match Resolved::new(profile, environment, native) {
            Ok(resolved) => findings.extend(machine::look(profile, &resolved, baseline)),
            Err(error) => findings.push(Finding::new(Code::BothArchLists, "archMap", error.to_string())),
        }
    }
    findings.sort();
    findings.dedup();
    findings
}

/// The machines that a profile is for; where it does not say, this one.
fn natives(profile: &Profile) -> BTreeSet<Arch> {
    let here = Arch::native().unwrap_or(Arch::X86_64);
    let mapped = profile.arch_map().iter().map(crate::ArchMapEntry::architecture);
    let listed = profile.architectures().iter().copied();
    let natives: BTreeSet<Arch> =
        mapped.chain(listed).filter_map(|token| token.arch(here)).map(Arch::native_of).collect();
    if natives.is_empty() { BTreeSet::from([here]) } else { natives }
}
