//! Bytes to a program that is known to end.

/// The most instructions that the kernel takes (`BPF_MAXINSNS`).
const MAX_INSTRUCTIONS: usize = 4096;
/// Words of scratch memory (`BPF_MEMWORDS`).
pub(super) const SCRATCH_WORDS: usize = 16;
/// Bytes of `struct seccomp_data`.
pub(super) const DATA_BYTES: u32 = 64;

/// Why bytes are not a seccomp filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BpfError {
    /// Not a whole number of instructions, none, or more than the kernel takes.
    #[error("{bytes} bytes are not 1 to 4096 instructions of 8 bytes")]
    Length {
        /// The number of bytes.
        bytes: usize,
    },
    /// An instruction that seccomp does not admit.
    #[error("instruction {at}: unknown opcode {code:#06x}")]
    Opcode {
        /// The instruction's position.
        at: usize,
        /// Its opcode.
        code: u16,
    },
    /// A load from outside `struct seccomp_data`, or not from a multiple of four.
    #[error("instruction {at}: load from offset {offset}")]
    Load {
        /// The instruction's position.
        at: usize,
        /// The offset in bytes.
        offset: u32,
    },
    /// A jump past the end.
    #[error("instruction {at}: jump past the end")]
    Jump {
        /// The instruction's position.
        at: usize,
    },
    /// A word of scratch memory that does not exist.
    #[error("instruction {at}: scratch memory word {word}")]
    Scratch {
        /// The instruction's position.
        at: usize,
        /// The word's number.
        word: u32,
    },
    /// A division by the constant zero, or a shift by 32 or more.
    #[error("instruction {at}: invalid constant operand {operand}")]
    Operand {
        /// The instruction's position.
        at: usize,
        /// The constant.
        operand: u32,
    },
    /// The last instruction is not a return.
    #[error("the program does not end with a return")]
    NoReturn,
}

/// Where an operand comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operand {
    Constant(u32),
    X,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alu {
    Add,
    Sub,
    Mul,
    Div,
    Or,
    And,
    Lsh,
    Rsh,
    Xor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Equal,
    Greater,
    GreaterOrEqual,
    AnyBit,
}

/// One decoded instruction. Jump targets are positions, always later than the instruction's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Instruction {
    /// A = the 32-bit word of the data at this index (in words).
    LoadData(usize),
    LoadConstant(u32),
    LoadScratch(usize),
    LoadXConstant(u32),
    LoadXScratch(usize),
    Store(usize),
    StoreX(usize),
    AToX,
    XToA,
    Negate,
    Alu(Alu, Operand),
    Jump(usize),
    Branch {
        test: Test,
        operand: Operand,
        then: usize,
        otherwise: usize,
    },
    Return(u32),
    ReturnA,
}

/// A filter that the kernel would take: every load and jump is in range, jumps go forward only, and it ends
/// with a return. So it ends after at most as many steps as it has instructions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub(super) instructions: Vec<Instruction>,
}

impl Program {
    /// Decodes an array of `struct sock_filter` in this machine's byte order, as libseccomp exports it.
    ///
    /// # Errors
    /// [`BpfError`], with the position of the first instruction that the kernel would refuse.
    pub fn decode(bytes: &[u8]) -> Result<Self, BpfError> {
        let (chunks, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() || chunks.is_empty() || chunks.len() > MAX_INSTRUCTIONS {
            return Err(BpfError::Length { bytes: bytes.len() });
        }
        let count = chunks.len();
        let instructions = chunks
            .iter()
            .enumerate()
            .map(|(at, &[c0, c1, jt, jf, k0, k1, k2, k3])| {
                let code = u16::from_ne_bytes([c0, c1]);
                decode_one(at, count, code, jt, jf, u32::from_ne_bytes([k0, k1, k2, k3]))
            })
            .collect::<Result<Vec<_>, _>>()?;
        match instructions.last() {
            Some(Instruction::Return(_) | Instruction::ReturnA) => Ok(Self { instructions }),
            _ => Err(BpfError::NoReturn),
        }
    }

    /// The number of instructions.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a program has at least one instruction")]
    pub fn len(&self) -> usize {
        self.instructions.len()
    }
}

fn decode_one(at: usize, count: usize, code: u16, jt: u8, jf: u8, k: u32) -> Result<Instruction, BpfError> {
    use Instruction as I;
    let target = |distance: usize| match at.checked_add(1).and_then(|next| next.checked_add(distance)) {
        Some(target) if target < count => Ok(target),
        _ => Err(BpfError::Jump { at }),
    };
    let word = || match usize::try_from(k) {
        Ok(word) if word < SCRATCH_WORDS => Ok(word),
        _ => Err(BpfError::Scratch { at, word: k }),
    };
    let operand = if code & 0x08 == 0 { Operand::Constant(k) } else { Operand::X };
    let branch = |test| {
        let (then, otherwise) = (target(jt.into())?, target(jf.into())?);
        Ok(I::Branch { test, operand, then, otherwise })
    };
    let checked = |op, valid: bool| {
        if valid || operand == Operand::X {
            Ok(I::Alu(op, operand))
        } else {
            Err(BpfError::Operand { at, operand: k })
        }
    };
    match code {
        // BPF_LD | BPF_W | BPF_ABS
        0x20 if k.is_multiple_of(4) && k < DATA_BYTES => {
            Ok(I::LoadData(usize::try_from(k / 4).map_err(|_| BpfError::Load { at, offset: k })?))
        }
        0x20 => Err(BpfError::Load { at, offset: k }),
        // BPF_LD and BPF_LDX | BPF_W | BPF_LEN: the kernel turns them into the constant.
        0x80 => Ok(I::LoadConstant(DATA_BYTES)),
        0x81 => Ok(I::LoadXConstant(DATA_BYTES)),
        // BPF_LD and BPF_LDX | BPF_IMM, | BPF_MEM
        0x00 => Ok(I::LoadConstant(k)),
        0x01 => Ok(I::LoadXConstant(k)),
        0x60 => word().map(I::LoadScratch),
        0x61 => word().map(I::LoadXScratch),
        // BPF_ST, BPF_STX
        0x02 => word().map(I::Store),
        0x03 => word().map(I::StoreX),
        // BPF_MISC | BPF_TAX, BPF_TXA
        0x07 => Ok(I::AToX),
        0x87 => Ok(I::XToA),
        // BPF_ALU, with BPF_K or BPF_X
        0x04 | 0x0c => checked(Alu::Add, true),
        0x14 | 0x1c => checked(Alu::Sub, true),
        0x24 | 0x2c => checked(Alu::Mul, true),
        0x34 | 0x3c => checked(Alu::Div, k != 0),
        0x44 | 0x4c => checked(Alu::Or, true),
        0x54 | 0x5c => checked(Alu::And, true),
        0x64 | 0x6c => checked(Alu::Lsh, k < 32),
        0x74 | 0x7c => checked(Alu::Rsh, k < 32),
        0xa4 | 0xac => checked(Alu::Xor, true),
        0x84 => Ok(I::Negate),
        // BPF_JMP
        0x05 => target(usize::try_from(k).map_err(|_| BpfError::Jump { at })?).map(I::Jump),
        0x15 | 0x1d => branch(Test::Equal),
        0x25 | 0x2d => branch(Test::Greater),
        0x35 | 0x3d => branch(Test::GreaterOrEqual),
        0x45 | 0x4d => branch(Test::AnyBit),
        // BPF_RET | BPF_K, BPF_A
        0x06 => Ok(I::Return(k)),
        0x16 => Ok(I::ReturnA),
        _ => Err(BpfError::Opcode { at, code }),
    }
}
