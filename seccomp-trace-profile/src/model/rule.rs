//! One entry of `syscalls`.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Action, Arg, Condition, Field};
use crate::{Errno, Verdict};

static NO_CONDITION: Condition = Condition::NONE;

/// A rule: calls by name, conditions, and what happens to them.
///
/// Names are not checked: what a runtime's libseccomp does not know it skips.
// `remote` makes the derived functions inherent, so that reading can check what spans several fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
pub struct Rule {
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    name: Field<String>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    names: Field<Vec<String>>,
    action: Action,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    args: Field<Vec<Arg>>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    comment: Field<String>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    includes: Field<Condition>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    excludes: Field<Condition>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    errno_ret: Field<u32>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    errno: Field<String>,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl Rule {
    /// A rule that allows `names`, whatever the arguments.
    pub(crate) fn allow(names: Vec<String>, comment: String) -> Self {
        Self {
            name: Field::Absent,
            names: Field::Set(names),
            action: Action::Allow,
            args: Field::Set(Vec::new()),
            comment: Field::Set(comment),
            includes: Field::Set(Condition::default()),
            excludes: Field::Set(Condition::default()),
            errno_ret: Field::Absent,
            errno: Field::Absent,
            other: BTreeMap::new(),
        }
    }

    /// A rule that allows one call where one condition holds.
    pub(crate) fn allow_if(name: String, condition: Arg, comment: String) -> Self {
        Self { args: Field::Set(vec![condition]), ..Self::allow(vec![name], comment) }
    }

    /// A rule with conditions for any verdict.
    pub(crate) fn new(names: Vec<String>, verdict: Verdict, args: Vec<Arg>, comment: String) -> Self {
        let (action, errno) = verdict.action();
        let comment = if comment.is_empty() { Field::Absent } else { Field::Set(comment) };
        let args = if args.is_empty() { Field::Absent } else { Field::Set(args) };
        Self {
            action,
            args,
            comment,
            includes: Field::Absent,
            excludes: Field::Absent,
            errno_ret: errno.map_or(Field::Absent, Field::Set),
            ..Self::allow(names, String::new())
        }
    }

    /// The calls that the rule is about, in the file's order. None: it matches nothing.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.name.text().into_iter().chain(self.names.items().iter().map(String::as_str))
    }

    /// Takes a name away.
    #[cfg(feature = "libseccomp")]
    pub(crate) fn take_out(&mut self, name: &str) {
        if self.name.text() == Some(name) {
            self.name = Field::Absent;
        }
        if let Field::Set(names) = &mut self.names {
            names.retain(|other| other != name);
        }
    }

    /// What happens to them.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// The conditions on arguments: all must hold, except that runtimes turn a rule with two conditions on the
    /// same argument into one rule for each condition.
    #[must_use]
    pub fn args(&self) -> &[Arg] {
        self.args.items()
    }

    /// The comment, empty where there is none.
    #[must_use]
    pub fn comment(&self) -> &str {
        self.comment.text().unwrap_or_default()
    }

    /// The rule counts only where all of this holds.
    #[must_use]
    pub fn includes(&self) -> &Condition {
        self.includes.get().unwrap_or(&NO_CONDITION)
    }

    /// The rule does not count where any of this holds.
    #[must_use]
    pub fn excludes(&self) -> &Condition {
        self.excludes.get().unwrap_or(&NO_CONDITION)
    }

    /// The errno of [`Action::Errno`] (or the message of [`Action::Trace`]), `None` where the rule states none.
    /// The name counts before the number, as containers-common has it.
    #[must_use]
    pub fn errno(&self) -> Option<u32> {
        effective_errno(&self.errno, &self.errno_ret)
    }

    /// The fields that this model has no name for.
    pub(crate) fn other(&self) -> &BTreeMap<String, Value> {
        &self.other
    }

    fn validate(&self) -> Result<(), String> {
        if self.name.text().is_some() && !self.names.items().is_empty() {
            return Err("a rule has `name` or `names`, not both".to_owned());
        }
        // Go programs leave an empty list out, so a rule without names is what some engines' own tools write,
        // and matches nothing. With another key beside it, it is more likely that `names` is misspelt.
        if self.name.is_absent()
            && self.names.is_absent()
            && let Some(key) = self.other.keys().next()
        {
            return Err(format!("a rule has neither `name` nor `names`, but the unknown field {key:?}"));
        }
        validate_errno("errno", &self.errno)
    }
}

/// The errno that two fields state together.
pub(super) fn effective_errno(name: &Field<String>, number: &Field<u32>) -> Option<u32> {
    let named = name.text().and_then(Errno::from_name).map(|errno| u32::from(errno.code()));
    named.or(number.get().copied())
}

/// Engines refuse a name that they do not know.
pub(super) fn validate_errno(field: &str, name: &Field<String>) -> Result<(), String> {
    match name.text() {
        Some(text) if Errno::from_name(text).is_none() => {
            Err(format!("unknown error name {text:?} in `{field}`, expected one such as \"EPERM\""))
        }
        _ => Ok(()),
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rule = Self::deserialize(deserializer)?;
        rule.validate().map_err(D::Error::custom)?;
        Ok(rule)
    }
}
