//! A set of values of one argument: an interval, under a mask.

use crate::Operator;

/// The values `x` with `low <= x <= high` and `x & mask == value`. Not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Values {
    pub(crate) low: u64,
    pub(crate) high: u64,
    pub(crate) mask: u64,
    pub(crate) value: u64,
}

impl Values {
    /// Every value that an argument with these bits can have.
    pub(crate) const fn all(bits: u64) -> Self {
        Self { low: 0, high: bits, mask: 0, value: 0 }
    }

    /// What one condition lets through, as disjoint sets; `bits` are those that the filter looks at: libseccomp
    /// compares the lower 32 of arguments of 32-bit ABIs, and of the condition (`_db_rule_gen_32`, `src/db.c`).
    pub(crate) fn of(op: Operator, first: u64, second: u64, bits: u64) -> Vec<Self> {
        let (first, second) = (first & bits, second & bits);
        let between = |low, high| Self { low, high, ..Self::all(bits) };
        let below = first.checked_sub(1).map(|high| between(0, high));
        let above = first.checked_add(1).filter(|low| *low <= bits).map(|low| between(low, bits));
        match op {
            Operator::Equal => vec![between(first, first)],
            Operator::NotEqual => below.into_iter().chain(above).collect(),
            Operator::Less => below.into_iter().collect(),
            Operator::LessOrEqual => vec![between(0, first)],
            Operator::GreaterOrEqual => vec![between(first, bits)],
            Operator::Greater => above.into_iter().collect(),
            // libseccomp drops the bits of the value that are outside the mask (`_db_node_mask_fixup`).
            Operator::MaskedEqual => {
                vec![Self { mask: first, value: second & first, ..Self::all(bits) }]
            }
        }
    }

    /// The smallest member.
    pub(crate) fn least(&self) -> Option<u64> {
        let fixed = |x: u64| (x & !self.mask) | self.value;
        if self.low & self.mask == self.value {
            return Some(self.low).filter(|low| *low <= self.high);
        }
        // The smallest member above `low` shares its bits above some bit, has a one there where `low` has a zero,
        // and is as small as the mask lets it be below.
        let candidates = (0..64).filter_map(|bit| {
            let above = u64::MAX.checked_shl(bit + 1).unwrap_or(0);
            let candidate = fixed((self.low & above) | (1 << bit)) & !((!self.mask) & ((1 << bit) - 1));
            let shares = candidate & above == self.low & above && candidate >> bit & 1 == 1;
            (shares && self.low >> bit & 1 == 0).then_some(candidate)
        });
        candidates.min().filter(|least| *least <= self.high)
    }

    pub(crate) fn contains(&self, x: u64) -> bool {
        self.low <= x && x <= self.high && x & self.mask == self.value
    }

    pub(crate) fn intersect(&self, other: &Self) -> Option<Self> {
        if (self.value ^ other.value) & self.mask & other.mask != 0 {
            return None;
        }
        let both = Self {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
            mask: self.mask | other.mask,
            value: self.value | other.value,
        };
        (both.low <= both.high).then_some(both).and_then(|both| {
            // One form for one value, so that equal sets look equal more often.
            let low = both.least()?;
            Some(Self { low, ..both })
        })
    }

    /// What is not in the set, as disjoint sets.
    pub(crate) fn complement(&self, bits: u64) -> Vec<Self> {
        let mut rest = Vec::new();
        if let Some(high) = self.low.checked_sub(1) {
            rest.push(Self { high, ..Self::all(bits) });
        }
        if self.high < bits {
            rest.push(Self { low: self.high + 1, ..Self::all(bits) });
        }
        let mut above = 0;
        for bit in (0..64).rev().map(|bit| 1_u64 << bit).filter(|bit| self.mask & bit != 0) {
            let mask = above | bit;
            let piece = Self { mask, value: (self.value & above) | (!self.value & bit), ..*self };
            if piece.least().is_some() {
                rest.push(piece);
            }
            above = mask;
        }
        rest
    }

    /// The union of two sets where it is one of this form.
    pub(crate) fn join(&self, other: &Self) -> Option<Self> {
        let (first, second) = if self.low <= other.low { (self, other) } else { (other, self) };
        (self.mask == 0 && other.mask == 0 && first.high.checked_add(1) == Some(second.low))
            .then_some(Self { high: second.high, ..*first })
    }

    /// The set as masks and values: `x & mask == value`. An interval falls into aligned blocks.
    pub(crate) fn cubes(&self, bits: u64) -> Vec<(u64, u64)> {
        let mut cubes = Vec::new();
        let mut low = self.low;
        loop {
            let room = self.high - low;
            let aligned = if low == 0 { 64 } else { low.trailing_zeros() };
            let size = (0..=aligned).rev().find(|size| block(*size) <= room).unwrap_or(0);
            let (mask, value) = (bits & !block(size), low);
            if (value ^ self.value) & mask & self.mask == 0 {
                cubes.push((mask | self.mask, value | self.value));
            }
            match low.checked_add(block(size)).and_then(|last| last.checked_add(1)) {
                Some(next) if next <= self.high => low = next,
                _ => return cubes,
            }
        }
    }
}

/// The largest offset in a block of so many bits.
fn block(size: u32) -> u64 {
    u64::MAX.checked_shr(64 - size).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set of 4-bit values, by counting.
    #[test]
    fn sets_of_small_values_are_what_counting_gives() {
        let bits = 15;
        let ops = [
            Operator::NotEqual,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Equal,
            Operator::GreaterOrEqual,
            Operator::Greater,
            Operator::MaskedEqual,
        ];
        let conditions =
            ops.into_iter().flat_map(|op| (0..16).flat_map(move |a| [0, 5, 15].map(|b| (op, a, b))));
        let sets: Vec<Values> = conditions.flat_map(|(op, a, b)| Values::of(op, a, b, bits)).collect();
        for one in &sets {
            assert_eq!(one.least(), (0..16).find(|x| one.contains(*x)), "{one:?}");
            for x in 0..16 {
                let outside = one.complement(bits).iter().filter(|rest| rest.contains(x)).count();
                assert_eq!(outside, usize::from(!one.contains(x)), "{one:?} {x}");
                let cubes = one.cubes(bits).iter().filter(|(mask, value)| x & mask == *value).count();
                assert_eq!(cubes, usize::from(one.contains(x)), "{one:?} {x}");
            }
            for other in &sets {
                let both = one.intersect(other);
                for x in 0..16 {
                    let expected = one.contains(x) && other.contains(x);
                    assert_eq!(both.is_some_and(|both| both.contains(x)), expected, "{one:?} {other:?} {x}");
                }
                assert_eq!(both.is_some(), (0..16).any(|x| one.contains(x) && other.contains(x)));
            }
        }
    }

    #[test]
    fn the_ends_of_64_bits_are_no_special_case() {
        let all = u64::MAX;
        assert!(Values::of(Operator::Less, 0, 0, all).is_empty());
        assert!(Values::of(Operator::Greater, all, 0, all).is_empty());
        assert_eq!(Values::of(Operator::NotEqual, 7, 0, all).len(), 2);
        assert_eq!(Values::all(all).cubes(all), [(0, 0)]);
        assert_eq!(Values::of(Operator::Greater, 0, 0, all)[0].cubes(all).len(), 64);
        let high = Values { low: 5, mask: 1 << 63, value: 1 << 63, ..Values::all(all) };
        assert_eq!(high.least(), Some(1 << 63));
        assert_eq!(Values::of(Operator::Equal, 1 << 32 | 9, 0, 0xffff_ffff)[0].least(), Some(9));
    }
}
