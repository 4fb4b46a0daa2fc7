//! What a filter decides about one call for all arguments at once.

use std::collections::HashMap;
use std::rc::Rc;

use super::Program;
use super::decode::{Alu, Instruction, Operand, Test};
use super::run::holds;
use crate::Verdict;
use crate::semantics::diagram::{Bits, Diagram, TooMany};

/// The word of the call's number, of the ABI, and the first of the arguments (`struct seccomp_data`, in words).
const NUMBER: usize = 0;
const ARCH: usize = 1;
const ARGUMENTS: usize = 4;

/// What register A holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum A {
    Known(u32),
    /// This half of an argument, under a mask.
    Half {
        word: usize,
        mask: u32,
    },
}

/// Why a filter cannot be decided for all arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undecided {
    TooMany,
    /// It does what libseccomp's filters do not: calculate with arguments, look at the instruction pointer, use X.
    Other,
}

impl From<TooMany> for Undecided {
    fn from(TooMany: TooMany) -> Self {
        Self::TooMany
    }
}

type Found = Rc<Diagram<Verdict>>;

impl Program {
    /// What the filter does with the call `nr` of the ABI `arch` (as seccomp has both), by its arguments. The filter is
    /// for a little-endian ABI, as all of ours are.
    pub(crate) fn decide(&self, nr: u32, arch: u32) -> Result<Diagram<Verdict>, Undecided> {
        let mut walk = Walk { program: self, nr, arch, done: HashMap::new() };
        walk.from(0, A::Known(0)).map(|found| (*found).clone())
    }
}

struct Walk<'a> {
    program: &'a Program,
    nr: u32,
    arch: u32,
    done: HashMap<(usize, A), Found>,
}

impl Walk<'_> {
    /// The decision from an instruction on. Filters jump forward alone, so this ends; what two ways have in common is
    /// looked at once.
    fn from(&mut self, start: usize, begin: A) -> Result<Found, Undecided> {
        if let Some(done) = self.done.get(&(start, begin)) {
            return Ok(done.clone());
        }
        let (mut at, mut a) = (start, begin);
        let found = loop {
            let instruction = self.program.instructions.get(at).ok_or(Undecided::Other)?;
            at += 1;
            match (*instruction, a) {
                (Instruction::LoadData(word), _) => a = self.load(word)?,
                (Instruction::LoadConstant(k), _) => a = A::Known(k),
                (Instruction::Alu(Alu::And, Operand::Constant(k)), A::Known(known)) => {
                    a = A::Known(known & k);
                }
                (Instruction::Alu(Alu::And, Operand::Constant(k)), A::Half { word, mask }) => {
                    a = A::Half { word, mask: mask & k };
                }
                (Instruction::Jump(target), _) => at = target,
                (Instruction::Branch { test, operand: Operand::Constant(k), then, otherwise }, a) => {
                    match a {
                        A::Known(known) => at = if holds(test, known, k) { then } else { otherwise },
                        A::Half { word, mask } => {
                            let condition = condition(test, word, mask, k)?;
                            let (then, otherwise) = (self.from(then, a)?, self.from(otherwise, a)?);
                            let then = condition.combine(&then, bool::then_some)?;
                            break Rc::new(then.combine(&otherwise, Option::unwrap_or)?);
                        }
                    }
                }
                (Instruction::Return(k), _) => {
                    break Rc::new(Diagram::constant(Verdict::from_return(k)));
                }
                _ => return Err(Undecided::Other),
            }
        };
        self.done.insert((start, begin), found.clone());
        Ok(found)
    }

    fn load(&self, word: usize) -> Result<A, Undecided> {
        match word {
            NUMBER => Ok(A::Known(self.nr)),
            ARCH => Ok(A::Known(self.arch)),
            ARGUMENTS.. => Ok(A::Half { word, mask: u32::MAX }),
            _ => Err(Undecided::Other),
        }
    }
}

fn condition(test: Test, word: usize, mask: u32, k: u32) -> Result<Diagram<bool>, Undecided> {
    let half = word - ARGUMENTS;
    let index = u8::try_from(half / 2).map_err(|_| Undecided::Other)?;
    let lowest = if half.is_multiple_of(2) { 0 } else { 32 };
    let bits = Bits { index, lowest, width: 32 };
    let compare = |mask: u32, k: u32, wheres| Diagram::compare(bits, mask.into(), k.into(), wheres);
    Ok(match test {
        Test::Equal => compare(mask, k, [false, true, false]),
        Test::Greater => compare(mask, k, [false, false, true]),
        Test::GreaterOrEqual => compare(mask, k, [false, true, true]),
        Test::AnyBit => compare(mask & k, 0, [false, false, true]),
    })
}
