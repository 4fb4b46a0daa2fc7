//! A function of the bits of six arguments, as a reduced ordered decision diagram.
//!
//! A node asks about one bit; the arguments come in order, each from its highest bit down. Nodes that ask for nothing
//! are left out and equal ones are shared, so the same function is the same diagram, a condition on one argument takes
//! at most 64 nodes whatever its operator, and conditions on several arguments add up instead of multiplying.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

/// More nodes than this, and it is no function that a filter of 4096 instructions computes.
const MOST: usize = 1 << 17;

/// The bits of one argument.
const BITS: u16 = 64;

/// The function cannot be held: it has too many nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

/// What a leaf may hold.
pub(crate) trait Value: Copy + Eq + Ord + Hash {}
impl<T: Copy + Eq + Ord + Hash> Value for T {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Ref<T> {
    Leaf(T),
    Node(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Node<T> {
    /// The argument's index times 64, and the bit's distance from its highest.
    bit: u16,
    low: Ref<T>,
    high: Ref<T>,
}

/// The function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Diagram<T> {
    /// Children before parents.
    nodes: Vec<Node<T>>,
    root: Ref<T>,
}

/// Bits of one argument that are compared as a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits {
    /// The argument.
    pub(crate) index: u8,
    /// The lowest bit.
    pub(crate) lowest: u16,
    /// How many.
    pub(crate) width: u16,
}

/// For each argument a mask and a value: `x & mask == value`.
pub(crate) type Cube = [(u64, u64); 6];

impl<T: Value> Diagram<T> {
    pub(crate) const fn constant(value: T) -> Self {
        Self { nodes: Vec::new(), root: Ref::Leaf(value) }
    }

    /// The value where the function has one for all arguments.
    pub(crate) fn as_constant(&self) -> Option<T> {
        match self.root {
            Ref::Leaf(value) => Some(value),
            Ref::Node(_) => None,
        }
    }

    /// The arguments that it depends on: a bit for each, the first the lowest.
    #[cfg(feature = "libseccomp")]
    pub(crate) fn tested(&self) -> u8 {
        self.nodes.iter().fold(0, |tested, node| tested | 1 << (node.bit / BITS))
    }

    /// The value for these arguments.
    pub(crate) fn at(&self, args: &[u64; 6]) -> T {
        let mut at = self.root;
        loop {
            match at {
                Ref::Leaf(value) => return value,
                Ref::Node(number) => {
                    let node = &self.nodes[number as usize];
                    let (argument, place) = place(node.bit);
                    at = if args[argument] & place == 0 { node.low } else { node.high };
                }
            }
        }
    }

    /// The function whose value follows from those of two others.
    pub(crate) fn combine<U: Value, V: Value>(
        &self,
        other: &Diagram<U>,
        f: impl FnMut(T, U) -> V,
    ) -> Result<Diagram<V>, TooMany> {
        let mut work = Work { one: self, two: other, f, built: Builder::default(), done: HashMap::new() };
        let root = work.visit(self.root, other.root)?;
        Ok(Diagram { nodes: work.built.nodes, root })
    }

    /// The function whose value follows from that of this one.
    pub(crate) fn map<V: Value>(&self, mut f: impl FnMut(T) -> V) -> Result<Diagram<V>, TooMany> {
        self.combine(&Diagram::constant(()), |value, ()| f(value))
    }

    /// Every value that the function has, each with arguments for which it has it.
    pub(crate) fn values(&self) -> BTreeMap<T, [u64; 6]> {
        let mut found = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut open = vec![(self.root, [0; 6])];
        while let Some((at, args)) = open.pop() {
            match at {
                Ref::Leaf(value) => {
                    found.entry(value).or_insert(args);
                }
                Ref::Node(number) if seen.insert(number) => {
                    let node = &self.nodes[number as usize];
                    let (argument, place) = place(node.bit);
                    let mut set = args;
                    set[argument] |= place;
                    // The last is looked at first: small arguments are better examples.
                    open.extend([(node.high, set), (node.low, args)]);
                }
                Ref::Node(_) => {}
            }
        }
        found
    }

    /// Where the function has values that `keep` holds for, as disjoint cubes; `None` where they are more than `most`.
    pub(crate) fn cubes(&self, most: usize, keep: impl Fn(T) -> bool) -> Option<Vec<(Cube, T)>> {
        let mut found = Vec::new();
        let mut open = vec![(self.root, [(0, 0); 6])];
        // Whether a wanted leaf can be reached: else a path that leads nowhere could be walked many times.
        let mut leads = Vec::with_capacity(self.nodes.len());
        let reach = |leads: &[bool], at: &Ref<T>| match at {
            Ref::Leaf(value) => keep(*value),
            Ref::Node(number) => leads[*number as usize],
        };
        for node in &self.nodes {
            let any = reach(&leads, &node.low) || reach(&leads, &node.high);
            leads.push(any);
        }
        while let Some((at, cube)) = open.pop() {
            if !reach(&leads, &at) {
                continue;
            }
            match at {
                Ref::Leaf(_) if found.len() == most => return None,
                Ref::Leaf(value) => found.push((cube, value)),
                Ref::Node(number) => {
                    let node = &self.nodes[number as usize];
                    let (argument, place) = place(node.bit);
                    let (mut low, mut high) = (cube, cube);
                    low[argument].0 |= place;
                    high[argument].0 |= place;
                    high[argument].1 |= place;
                    open.extend([(node.high, high), (node.low, low)]);
                }
            }
        }
        Some(found)
    }
}

/// What a rule for 64-bit and 32-bit ABIs can say of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Half {
    /// Nothing.
    #[default]
    Any,
    /// Its upper half is not zero, which it never is in a 32-bit ABI.
    Above,
    /// `x & mask == value` in the lower half; whether the upper half must be zero.
    Low { upper_zero: bool, mask: u64, value: u64 },
}

impl<T: Value> Diagram<T> {
    /// As [`cubes`](Self::cubes), in terms that mean the same in 32-bit ABIs, where conditions have no upper half. The
    /// function must not look at the upper half of an argument but for whether it is zero: that is not checked here.
    pub(crate) fn halves(&self, most: usize, keep: impl Fn(T) -> bool) -> Option<Vec<([Half; 6], T)>> {
        const LOWER: u64 = u32::MAX as u64;
        let mut found = Vec::new();
        let mut open = vec![(self.root, [Half::Any; 6])];
        while let Some((at, halves)) = open.pop() {
            let number = match at {
                Ref::Leaf(value) => {
                    if keep(value) {
                        found.push((halves, value));
                    }
                    if found.len() > most || open.len() > most {
                        return None;
                    }
                    continue;
                }
                Ref::Node(number) => number,
            };
            let (argument, bit) = place(self.nodes[number as usize].bit);
            let known = halves[argument];
            if bit > LOWER {
                let (mut zero, mut above) = (halves, halves);
                zero[argument] = Half::Low { upper_zero: true, mask: 0, value: 0 };
                above[argument] = Half::Above;
                open.push((self.follow(at, argument, LOWER + 1, 0), above));
                open.push((self.follow(at, argument, 0, LOWER), zero));
                continue;
            }
            let (upper_zero, mask, value) = match known {
                Half::Low { upper_zero, mask, value } => (upper_zero, mask, value),
                _ => (false, 0, 0),
            };
            let node = &self.nodes[number as usize];
            for (next, value) in [(node.high, value | bit), (node.low, value)] {
                let mut halves = halves;
                halves[argument] = Half::Low { upper_zero, mask: mask | bit, value };
                open.push((next, halves));
            }
        }
        Some(found)
    }

    /// Where the function goes on after the bits of one argument, as they are in `value`; those in `but` are not
    /// followed.
    fn follow(&self, mut at: Ref<T>, argument: usize, value: u64, but: u64) -> Ref<T> {
        while let Ref::Node(number) = at {
            let node = &self.nodes[number as usize];
            let (of, bit) = place(node.bit);
            if of != argument || bit & but != 0 {
                break;
            }
            at = if value & bit == 0 { node.low } else { node.high };
        }
        at
    }
}

impl Diagram<bool> {
    /// Compares bits of an argument, those outside `mask` taken as zero, with a number: `[less, equal, greater]` say
    /// where it holds.
    pub(crate) fn compare(bits: Bits, mask: u64, number: u64, [less, equal, greater]: [bool; 3]) -> Self {
        let mut built = Builder::default();
        let mut so_far = Ref::Leaf(equal);
        for bit in 0..bits.width {
            let one = number >> bit & 1 == 1;
            so_far = if mask >> bit & 1 == 1 {
                let (low, high) = if one { (Ref::Leaf(less), so_far) } else { (so_far, Ref::Leaf(greater)) };
                let place = u16::from(bits.index) * BITS + (BITS - 1 - bits.lowest - bit);
                built.node(Node { bit: place, low, high })
            } else if one {
                Ref::Leaf(less)
            } else {
                so_far
            };
        }
        // What a decided comparison has left behind.
        let nodes = Self { nodes: built.nodes, root: so_far };
        nodes.combine(&Diagram::constant(()), |holds, ()| holds).unwrap_or(nodes)
    }

    /// Where any of them holds.
    pub(crate) fn any(mut all: Vec<Self>) -> Result<Self, TooMany> {
        // In pairs, so that what is small is combined with what is small.
        while all.len() > 1 {
            let pairs = all.chunks(2).map(|pair| match pair {
                [one, two] => one.combine(two, |one, two| one || two),
                rest => Ok(rest[0].clone()),
            });
            all = pairs.collect::<Result<_, _>>()?;
        }
        Ok(all.pop().unwrap_or(Self::constant(false)))
    }
}

/// The argument that a node asks about, and the bit's place value.
fn place(bit: u16) -> (usize, u64) {
    (usize::from(bit / BITS), 1 << (BITS - 1 - bit % BITS))
}

/// Nodes, each once.
struct Builder<T> {
    nodes: Vec<Node<T>>,
    known: HashMap<Node<T>, u32>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Self { nodes: Vec::new(), known: HashMap::new() }
    }
}

impl<T: Value> Builder<T> {
    fn node(&mut self, node: Node<T>) -> Ref<T> {
        if node.low == node.high {
            return node.low;
        }
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let number = *self.known.entry(node).or_insert(next);
        if number == next {
            self.nodes.push(node);
        }
        Ref::Node(number)
    }
}

/// Two functions on their way to one.
struct Work<'a, T, U, V, F> {
    one: &'a Diagram<T>,
    two: &'a Diagram<U>,
    f: F,
    built: Builder<V>,
    done: HashMap<(Ref<T>, Ref<U>), Ref<V>>,
}

impl<T: Value, U: Value, V: Value, F: FnMut(T, U) -> V> Work<'_, T, U, V, F> {
    /// Not deeper than there are bits.
    fn visit(&mut self, one: Ref<T>, two: Ref<U>) -> Result<Ref<V>, TooMany> {
        if let (Ref::Leaf(one), Ref::Leaf(two)) = (one, two) {
            return Ok(Ref::Leaf((self.f)(one, two)));
        }
        if let Some(done) = self.done.get(&(one, two)) {
            return Ok(*done);
        }
        let mine = node(&self.one.nodes, one);
        let theirs = node(&self.two.nodes, two);
        let bit = match (&mine, &theirs) {
            (Some(mine), Some(theirs)) => mine.bit.min(theirs.bit),
            (Some(node), None) => node.bit,
            (None, theirs) => theirs.map_or(0, |node| node.bit),
        };
        let (mine_low, mine_high) = children(mine, bit, one);
        let (their_low, their_high) = children(theirs, bit, two);
        let low = self.visit(mine_low, their_low)?;
        let high = self.visit(mine_high, their_high)?;
        let result = self.built.node(Node { bit, low, high });
        self.done.insert((one, two), result);
        if self.built.nodes.len() > MOST || self.done.len() > 4 * MOST { Err(TooMany) } else { Ok(result) }
    }
}

fn node<T: Value>(nodes: &[Node<T>], at: Ref<T>) -> Option<Node<T>> {
    match at {
        Ref::Leaf(_) => None,
        Ref::Node(number) => Some(nodes[number as usize]),
    }
}

/// The functions for both values of a bit that `at` may not ask about.
fn children<T: Value>(node: Option<Node<T>>, bit: u16, at: Ref<T>) -> (Ref<T>, Ref<T>) {
    match node {
        Some(node) if node.bit == bit => (node.low, node.high),
        _ => (at, at),
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    const NIBBLE: Bits = Bits { index: 2, lowest: 0, width: 4 };

    fn sets() -> Vec<(Diagram<bool>, impl Fn(u64) -> bool + Clone)> {
        let wheres = (0..8).map(|code: u8| [code & 1 != 0, code & 2 != 0, code & 4 != 0]);
        let all = wheres.flat_map(|holds| [0, 5, 6, 15].map(|mask| (holds, mask)));
        all.flat_map(|(holds, mask)| {
            (0..16).map(move |number| {
                let says = move |x: u64| match (x & mask).cmp(&number) {
                    Ordering::Less => holds[0],
                    Ordering::Equal => holds[1],
                    Ordering::Greater => holds[2],
                };
                (Diagram::compare(NIBBLE, mask, number, holds), says)
            })
        })
        .collect()
    }

    fn with(x: u64) -> [u64; 6] {
        [9, u64::MAX, x, 3, 0, 1 << 63]
    }

    /// Every comparison of four bits, by counting.
    #[test]
    fn comparisons_of_small_numbers_are_what_counting_gives() {
        for (diagram, says) in sets() {
            for x in 0..16 {
                assert_eq!(diagram.at(&with(x)), says(x), "{diagram:?} {x}");
            }
            let expected: BTreeSet<bool> = (0..16).map(&says).collect();
            assert_eq!(diagram.values().keys().copied().collect::<BTreeSet<_>>(), expected);
            for (value, args) in diagram.values() {
                assert_eq!(says(args[2]), value);
            }
            let cubes = diagram.cubes(16, |holds| holds).expect("at most 16 values");
            for x in 0..16 {
                let within = cubes.iter().filter(|(cube, _)| {
                    cube.iter().zip(with(x)).all(|((mask, value), x)| x & mask == *value)
                });
                assert_eq!(within.count(), usize::from(says(x)), "disjoint and complete: {x}");
            }
        }
    }

    #[test]
    fn functions_that_are_equal_are_the_same_diagram() {
        let sets: Vec<_> = sets().into_iter().step_by(7).collect();
        for (one, says) in &sets {
            for (two, also) in &sets {
                let both = one.combine(two, |one, two| one && two).unwrap();
                assert!((0..16).all(|x| both.at(&with(x)) == (says(x) && also(x))));
                let same = (0..16).all(|x| says(x) == also(x));
                assert_eq!(one == two, same, "{one:?} {two:?}");
                let not = |set: &Diagram<bool>| set.map(|holds| !holds).unwrap();
                let by_de_morgan = not(&not(one).combine(&not(two), |one, two| one || two).unwrap());
                assert_eq!(both, by_de_morgan);
            }
        }
    }

    #[test]
    fn the_ends_of_64_bits_are_no_special_case() {
        let whole = |index| Bits { index, lowest: 0, width: 64 };
        let never = Diagram::compare(whole(0), u64::MAX, 0, [true, false, false]);
        assert_eq!(never.as_constant(), Some(false));
        let above = Diagram::compare(whole(5), u64::MAX, u64::MAX - 1, [false, false, true]);
        assert_eq!(above.values()[&true], [0, 0, 0, 0, 0, u64::MAX]);
        let high = Bits { index: 1, lowest: 32, width: 32 };
        let high = Diagram::compare(high, u64::MAX, 1, [false, true, false]);
        assert!(high.at(&[0, 1 << 32 | 7, 0, 0, 0, 0]) && !high.at(&[0, 7, 0, 0, 0, 0]));
    }

    /// In regions instead of bits, two such rules fall into thousands of pieces.
    #[test]
    fn dense_masks_on_all_arguments_are_held() {
        let dense = |number: u64| {
            let all = (0..6).map(|index| {
                let bits = Bits { index, lowest: 0, width: 64 };
                Diagram::compare(
                    bits,
                    0x5555_ffff_3333_ffff,
                    number & 0x5555_ffff_3333_ffff,
                    [false, true, false],
                )
            });
            all.reduce(|one, two| one.combine(&two, |one, two| one && two).unwrap()).unwrap()
        };
        let one = Diagram::any((1..20).map(|number| dense(number * 0x0101_0101_0101)).collect()).unwrap();
        assert!(one.nodes.len() < 10_000, "{}", one.nodes.len());
        assert!(one.cubes(18, |holds| holds).is_none() && one.cubes(100, |holds| holds).is_some());
    }
}
