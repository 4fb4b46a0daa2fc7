//! A whole profile and its JSON form.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{DocumentError, read_document};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::rule::{effective_errno, validate_errno};
use super::{Action, ArchMapEntry, ArchToken, Field, Rule};
use crate::{Errno, ProfileError, Verdict};

/// A seccomp profile in any dialect: OCI runtime-spec (`linux.seccomp`), containers-common, Docker, and the
/// old form with one `name` to a rule.
///
/// It holds everything that the file holds, so writing it back gives the same JSON value: unknown fields are
/// kept, and a field that is absent, null or empty stays so. A profile that exists is valid.
///
/// ```
/// use seccomp_trace_profile::{Action, Profile};
///
/// let text = r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
///     {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "x-team": "storage"}]}"#;
/// let profile = Profile::from_json(text)?;
/// assert_eq!(profile.default_action(), Action::Errno);
/// assert_eq!(profile.rules()[0].names().collect::<Vec<_>>(), ["read", "write"]);
/// assert!(profile.to_json().contains("x-team"));
///
/// let error = Profile::from_json(r#"{"defaultAction": "SCMP_ACT_DENY"}"#).unwrap_err();
/// assert_eq!(error.to_string(), "not a seccomp profile: at defaultAction");
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct Profile {
    pub(crate) default_action: Action,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    default_errno_ret: Field<u32>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    default_errno: Field<String>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) architectures: Field<Vec<ArchToken>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) arch_map: Field<Vec<ArchMapEntry>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    pub(crate) syscalls: Field<Vec<Rule>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    flags: Field<Vec<String>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    listener_path: Field<String>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    listener_metadata: Field<String>,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl Profile {
    /// A profile without rules.
    pub(crate) fn empty(default_action: Action) -> Self {
        Self {
            default_action,
            default_errno_ret: Field::Absent,
            default_errno: Field::Absent,
            architectures: Field::Absent,
            arch_map: Field::Absent,
            syscalls: Field::Set(Vec::new()),
            flags: Field::Absent,
            listener_path: Field::Absent,
            listener_metadata: Field::Absent,
            other: BTreeMap::new(),
        }
    }

    /// A profile in the OCI form.
    pub(crate) fn new(default: Verdict, architectures: Vec<ArchToken>, rules: Vec<Rule>) -> Self {
        let (action, errno) = default.action();
        Self {
            default_errno_ret: errno.map_or(Field::Absent, Field::Set),
            architectures: Field::Set(architectures),
            syscalls: Field::Set(rules),
            ..Self::empty(action)
        }
    }

    /// Reads a profile.
    ///
    /// # Errors
    /// [`ProfileError::Parse`]: not JSON, not a profile, or one that no engine accepts; with the path in the
    /// document, line and column, and the reason.
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        read_document(text).map_err(|DocumentError { path, source }| ProfileError::Parse { path, source })
    }

    /// The JSON form, indented, with a final line feed. The same profile gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a profile of strings, numbers and lists can be written");
        text.push('\n');
        text
    }

    /// What happens to calls that no rule is about.
    #[must_use]
    pub fn default_action(&self) -> Action {
        self.default_action
    }

    /// The errno of the default action, `None` where the profile states none (EPERM then).
    #[must_use]
    pub fn default_errno(&self) -> Option<u32> {
        effective_errno(&self.default_errno, &self.default_errno_ret)
    }

    /// The fixed list of architectures, empty where there is none.
    #[must_use]
    pub fn architectures(&self) -> &[ArchToken] {
        self.architectures.items()
    }

    /// The map from a machine's architecture to those it also serves, empty where there is none.
    #[must_use]
    pub fn arch_map(&self) -> &[ArchMapEntry] {
        self.arch_map.items()
    }

    /// The rules in the file's order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.syscalls.items()
    }

    /// The flags for the installation of the filter, `SECCOMP_FILTER_FLAG_…`.
    #[must_use]
    pub fn flags(&self) -> &[String] {
        self.flags.items()
    }

    /// Whether there is a list of flags, which may be empty: runtimes have a default where there is none.
    pub(crate) fn has_flags(&self) -> bool {
        self.flags.get().is_some()
    }

    /// The socket of the supervisor that [`Action::Notify`] asks.
    #[must_use]
    pub fn listener_path(&self) -> Option<&str> {
        self.listener_path.text()
    }

    /// What the supervisor is told.
    #[must_use]
    pub fn listener_metadata(&self) -> Option<&str> {
        self.listener_metadata.text()
    }

    /// The fields that this model has no name for.
    pub(crate) fn other(&self) -> &BTreeMap<String, Value> {
        &self.other
    }

    /// Takes a name out of the rules that `of` holds for, and those away that have no other. Whether there was one.
    #[cfg(feature = "libseccomp")]
    pub(crate) fn take_out(&mut self, name: &str, of: impl Fn(&Rule) -> bool) -> bool {
        let mut found = false;
        let rules = self.syscalls.get_or_default();
        for rule in rules.iter_mut().filter(|rule| of(rule) && rule.names().any(|other| other == name)) {
            rule.take_out(name);
            found = true;
        }
        rules.retain(|rule| !of(rule) || rule.names().next().is_some());
        found
    }

    /// The same profile with only the rules that `keep` holds for.
    pub(crate) fn retain(&self, keep: impl FnMut(&Rule) -> bool) -> Self {
        let mut profile = self.clone();
        if let Field::Set(rules) = &mut profile.syscalls {
            rules.retain(keep);
        }
        profile
    }

    /// Says how the filter is installed, and whom it asks.
    pub(crate) fn install(
        &mut self,
        flags: Option<BTreeSet<String>>,
        (path, metadata): (Option<String>, Option<String>),
    ) {
        self.flags = flags.map_or(Field::Absent, |flags| Field::Set(flags.into_iter().collect()));
        self.listener_path = path.map_or(Field::Absent, Field::Set);
        self.listener_metadata = metadata.map_or(Field::Absent, Field::Set);
    }

    /// States the errno of the default action in every form that the profile uses.
    pub(crate) fn set_default_errno(&mut self, errno: Errno) {
        self.default_errno_ret = Field::Set(errno.code().into());
        if self.default_errno.text().is_some() {
            self.default_errno = errno.name().map_or(Field::Absent, Field::Set);
        }
    }
}

impl Serialize for Profile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Profile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let profile = Self::deserialize(deserializer)?;
        validate_errno("defaultErrno", &profile.default_errno).map_err(D::Error::custom)?;
        Ok(profile)
    }
}
