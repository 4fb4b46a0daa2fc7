//! Changes inputs at random, in a way that a seed repeats.

/// xorshift64*: spreads choices, and is good for nothing else.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// A number from 0 up to, and without, `end`; 0 where that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// One of several; `None` where there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// Numbers that are often the end of a range.
const EDGES: [&[u8]; 12] = [
    b"0",
    b"-1",
    b"1",
    b"255",
    b"256",
    b"65536",
    b"2147483648",
    b"4294967295",
    b"4294967296",
    b"18446744073709551615",
    b"18446744073709551616",
    b"1e400",
];

/// What inputs are changed with.
#[derive(Debug)]
pub struct Mutator {
    /// Words of the grammar.
    pub dictionary: Vec<Vec<u8>>,
    /// No input becomes longer.
    pub longest: usize,
}

impl Mutator {
    /// One to eight changes to `input`; some take a part of `other`.
    #[must_use]
    pub fn mutate(&self, random: &mut Random, input: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = input.to_vec();
        for _ in 0..=random.below(8) {
            self.change(random, &mut bytes, other);
        }
        bytes.truncate(self.longest);
        bytes
    }

    fn change(&self, random: &mut Random, bytes: &mut Vec<u8>, other: &[u8]) {
        let (from, to) = range(random, bytes.len());
        match random.below(10) {
            0 => flip(random, bytes),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let part = bytes[from..to].to_vec();
                let at = random.below(bytes.len() + 1);
                bytes.splice(at..at, part);
            }
            3 => {
                let (begin, end) = range(random, other.len());
                bytes.splice(from..to, other[begin..end].iter().copied());
            }
            4 | 5 => {
                let word = random.pick(&self.dictionary).cloned().unwrap_or_default();
                // In the place of another, or between two.
                let to = if random.below(2) == 0 { from } else { to.min(from + word.len()) };
                bytes.splice(from..to, word);
            }
            6 | 7 => number(random, bytes),
            8 => flip(random, bytes),
            _ => {
                let new = u8::try_from(random.below(256)).unwrap_or_default();
                bytes.insert(from, new);
            }
        }
    }
}

/// A range of at most 64 bytes, mostly a short one.
fn range(random: &mut Random, len: usize) -> (usize, usize) {
    let from = random.below(len + 1);
    let most = [1, 4, 16, 64][random.below(4)];
    (from, (from + random.below(most) + 1).min(len).max(from))
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

/// Replaces the digits that come next after a random place.
fn number(random: &mut Random, bytes: &mut Vec<u8>) {
    let begin = random.below(bytes.len());
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(from) = bytes[begin..].iter().position(is_digit).map(|at| begin + at) else { return };
    let len = bytes[from..].iter().take_while(|byte| is_digit(byte)).count();
    let edge = EDGES[random.below(EDGES.len())];
    bytes.splice(from..from + len, edge.iter().copied());
}
