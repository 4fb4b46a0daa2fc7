//! A condition on one argument of a call.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Field, Operator};

/// The position of an argument, 0 to 5.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u8")]
pub struct ArgIndex(u8);

impl ArgIndex {
    /// The position as an array index, below 6.
    #[must_use]
    pub fn as_usize(self) -> usize {
        self.0.into()
    }
}

impl From<ArgIndex> for u8 {
    fn from(index: ArgIndex) -> Self {
        index.0
    }
}

impl TryFrom<u64> for ArgIndex {
    type Error = String;

    fn try_from(index: u64) -> Result<Self, String> {
        u8::try_from(index)
            .ok()
            .filter(|index| *index < 6)
            .map(Self)
            .ok_or_else(|| format!("invalid argument index {index}, expected 0 to 5"))
    }
}

/// A condition on one argument. The fields that engines let be absent or null count as zero then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Arg {
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    index: Field<ArgIndex>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    value: Field<u64>,
    #[serde(default, skip_serializing_if = "Field::is_absent")]
    value_two: Field<u64>,
    op: Operator,
    #[serde(flatten)]
    other: BTreeMap<String, Value>,
}

impl Arg {
    /// Holds where the argument has exactly this value, in all 64 bits.
    pub(crate) fn equal(index: ArgIndex, value: u64) -> Self {
        Self::new(index, Operator::Equal, value, 0)
    }

    /// A condition; `second` is written for [`Operator::MaskedEqual`] alone.
    pub(crate) fn new(index: ArgIndex, op: Operator, value: u64, second: u64) -> Self {
        let value_two = if op == Operator::MaskedEqual { Field::Set(second) } else { Field::Absent };
        Self { index: Field::Set(index), value: Field::Set(value), value_two, op, other: BTreeMap::new() }
    }

    /// Which argument.
    #[must_use]
    pub fn index(&self) -> ArgIndex {
        self.index.get().copied().unwrap_or(ArgIndex(0))
    }

    /// What it is compared with; the mask for [`Operator::MaskedEqual`].
    #[must_use]
    pub fn value(&self) -> u64 {
        self.value.get().copied().unwrap_or(0)
    }

    /// The value under the mask, for [`Operator::MaskedEqual`] alone.
    #[must_use]
    pub fn value_two(&self) -> u64 {
        self.value_two.get().copied().unwrap_or(0)
    }

    /// How it is compared.
    #[must_use]
    pub fn op(&self) -> Operator {
        self.op
    }

    /// The fields that this model has no name for.
    pub(crate) fn other(&self) -> &BTreeMap<String, Value> {
        &self.other
    }
}
