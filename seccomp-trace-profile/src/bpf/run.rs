//! The interpreter.

use super::Program;
use super::decode::{Alu, Instruction, Operand, SCRATCH_WORDS, Test};
use crate::Verdict;

/// What a filter sees of a call: `struct seccomp_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeccompData {
    /// The number; for x32 with bit 30 set ([`Syscall::seccomp_nr`](seccomp_trace_core::Syscall::seccomp_nr)).
    pub nr: u32,
    /// `AUDIT_ARCH_…` ([`Arch::audit`](seccomp_trace_core::Arch::audit)).
    pub arch: u32,
    /// The address of the instruction that made the call.
    pub instruction_pointer: u64,
    /// The six arguments, all 64 bits of each register.
    pub args: [u64; 6],
}

impl SeccompData {
    /// The structure as 32-bit words in this machine's byte order.
    fn words(&self) -> [u32; 16] {
        let mut words = [0; 16];
        words[0] = self.nr;
        words[1] = self.arch;
        let wide = std::iter::once(self.instruction_pointer).chain(self.args);
        for (pair, value) in words[2..].as_chunks_mut::<2>().0.iter_mut().zip(wide) {
            let [b0, b1, b2, b3, b4, b5, b6, b7] = value.to_ne_bytes();
            *pair = [u32::from_ne_bytes([b0, b1, b2, b3]), u32::from_ne_bytes([b4, b5, b6, b7])];
        }
        words
    }
}

impl Program {
    /// What the filter says about a call.
    #[must_use]
    pub fn run(&self, data: &SeccompData) -> Verdict {
        Verdict::from_return(self.result(data))
    }

    /// The 32 bits that the filter returns.
    #[must_use]
    pub fn result(&self, data: &SeccompData) -> u32 {
        use Instruction as I;
        let data = data.words();
        let mut scratch = [0_u32; SCRATCH_WORDS];
        let (mut a, mut x) = (0_u32, 0_u32);
        let mut at = 0;
        // Every step goes forward and the last instruction returns, so this ends.
        while let Some(instruction) = self.instructions.get(at) {
            at += 1;
            match *instruction {
                I::LoadData(word) => a = data[word],
                I::LoadConstant(k) => a = k,
                I::LoadScratch(word) => a = scratch[word],
                I::LoadXConstant(k) => x = k,
                I::LoadXScratch(word) => x = scratch[word],
                I::Store(word) => scratch[word] = a,
                I::StoreX(word) => scratch[word] = x,
                I::AToX => x = a,
                I::XToA => a = x,
                I::Negate => a = a.wrapping_neg(),
                I::Alu(op, operand) => match apply(op, a, value(operand, x)) {
                    Some(result) => a = result,
                    // The kernel ends a program that divides by zero with 0.
                    None => return 0,
                },
                I::Jump(target) => at = target,
                I::Branch { test, operand, then, otherwise } => {
                    at = if holds(test, a, value(operand, x)) { then } else { otherwise };
                }
                I::Return(k) => return k,
                I::ReturnA => return a,
            }
        }
        unreachable!("a decoded program ends with a return")
    }
}

fn value(operand: Operand, x: u32) -> u32 {
    match operand {
        Operand::Constant(k) => k,
        Operand::X => x,
    }
}

fn apply(op: Alu, a: u32, operand: u32) -> Option<u32> {
    Some(match op {
        Alu::Add => a.wrapping_add(operand),
        Alu::Sub => a.wrapping_sub(operand),
        Alu::Mul => a.wrapping_mul(operand),
        Alu::Div => return a.checked_div(operand),
        Alu::Or => a | operand,
        Alu::And => a & operand,
        // The kernel masks a shift by X to five bits.
        Alu::Lsh => a.wrapping_shl(operand),
        Alu::Rsh => a.wrapping_shr(operand),
        Alu::Xor => a ^ operand,
    })
}

pub(super) fn holds(test: Test, a: u32, operand: u32) -> bool {
    match test {
        Test::Equal => a == operand,
        Test::Greater => a > operand,
        Test::GreaterOrEqual => a >= operand,
        Test::AnyBit => a & operand != 0,
    }
}
