//! A box of argument values.

use super::values::Values;

/// A value set for each of the six arguments: the calls whose arguments are all in theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Region(pub(crate) [Values; 6]);

impl Region {
    /// All calls.
    pub(crate) const fn all(bits: u64) -> Self {
        Self([Values::all(bits); 6])
    }

    pub(crate) fn contains(&self, args: &[u64; 6]) -> bool {
        self.0.iter().zip(args).all(|(values, x)| values.contains(*x))
    }

    /// One call of it.
    pub(crate) fn witness(&self) -> [u64; 6] {
        self.0.map(|values| values.least().unwrap_or(values.low))
    }

    pub(crate) fn intersect(&self, other: &Self) -> Option<Self> {
        let mut both = *self;
        for (mine, theirs) in both.0.iter_mut().zip(&other.0) {
            *mine = mine.intersect(theirs)?;
        }
        Some(both)
    }

    /// What `other` leaves of it, as disjoint regions.
    pub(crate) fn minus(&self, other: &Self, bits: u64) -> Vec<Self> {
        if self.intersect(other).is_none() {
            return vec![*self];
        }
        let (mut left, mut rest) = (Vec::new(), *self);
        for index in 0..6 {
            for outside in other.0[index].complement(bits) {
                if let Some(values) = rest.0[index].intersect(&outside) {
                    let mut piece = rest;
                    piece.0[index] = values;
                    left.push(piece);
                }
            }
            match rest.0[index].intersect(&other.0[index]) {
                Some(values) => rest.0[index] = values,
                None => break,
            }
        }
        left
    }

    /// The union where it is a region.
    pub(crate) fn join(&self, other: &Self) -> Option<Self> {
        let mut different = (0..6).filter(|index| self.0[*index] != other.0[*index]);
        let index = different.next()?;
        if different.next().is_some() {
            return None;
        }
        let mut joined = *self;
        joined.0[index] = self.0[index].join(&other.0[index])?;
        Some(joined)
    }
}
