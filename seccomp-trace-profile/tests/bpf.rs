//! The interpreter against filters assembled by hand.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use proptest::collection::vec;
use proptest::prelude::*;
use seccomp_trace_profile::Verdict;
use seccomp_trace_profile::bpf::{BpfError, Program, SeccompData};

const ALLOW: u32 = 0x7fff_0000;

fn assemble(instructions: &[(u16, u8, u8, u32)]) -> Vec<u8> {
    let encode = |&(code, jt, jf, k): &(u16, u8, u8, u32)| {
        [&code.to_ne_bytes()[..], &[jt, jf], &k.to_ne_bytes()].concat()
    };
    instructions.iter().flat_map(encode).collect()
}

fn result(instructions: &[(u16, u8, u8, u32)], data: &SeccompData) -> u32 {
    Program::decode(&assemble(instructions)).unwrap().result(data)
}

/// A filter as people write it: the architecture first, then the number, then an argument.
#[test]
fn a_filter_written_by_hand_decides_as_it_says() {
    let low = if cfg!(target_endian = "little") { 16 } else { 20 };
    let program = Program::decode(&assemble(&[
        (0x20, 0, 0, 4),           // A = arch
        (0x15, 1, 0, 0xC000_003E), // x86_64 goes on
        (0x06, 0, 0, 0x8000_0000), // another one: kill the process
        (0x20, 0, 0, 0),           // A = nr
        (0x35, 0, 1, 0x4000_0000), // x32
        (0x06, 0, 0, 0),           // kill the thread
        (0x15, 0, 3, 41),          // socket
        (0x20, 0, 0, low),         // A = low half of its first argument
        (0x15, 0, 1, 1),           // AF_UNIX
        (0x06, 0, 0, ALLOW),
        (0x06, 0, 0, 0x0005_0026), // ENOSYS
    ]))
    .unwrap();
    let ask = |arch, nr, first| {
        program.run(&SeccompData { arch, nr, args: [first, 0, 0, 0, 0, 0], ..SeccompData::default() })
    };
    assert_eq!(ask(0xC000_003E, 41, 1), Verdict::Allow);
    assert_eq!(ask(0xC000_003E, 41, 2), Verdict::Errno(38));
    assert_eq!(ask(0xC000_003E, 41, 0xffff_ffff_0000_0001), Verdict::Allow, "only the low half is asked");
    assert_eq!(ask(0xC000_003E, 42, 1), Verdict::Errno(38));
    assert_eq!(ask(0xC000_003E, 0x4000_0029, 1), Verdict::KillThread);
    assert_eq!(ask(0x4000_0003, 41, 1), Verdict::KillProcess);
}

#[test]
fn every_word_of_the_data_is_where_the_kernel_has_it() {
    let data = SeccompData {
        nr: 1,
        arch: 2,
        instruction_pointer: 0x0000_0004_0000_0003,
        args: [0x0000_0006_0000_0005, 7, 8, 9, 10, 0x0000_000c_0000_000b],
    };
    let word = |offset| result(&[(0x20, 0, 0, offset), (0x16, 0, 0, 0)], &data);
    assert_eq!((word(0), word(4)), (1, 2));
    let wide = |offset| {
        let [a0, a1, a2, a3] = word(offset).to_ne_bytes();
        let [b0, b1, b2, b3] = word(offset + 4).to_ne_bytes();
        u64::from_ne_bytes([a0, a1, a2, a3, b0, b1, b2, b3])
    };
    assert_eq!(wide(8), data.instruction_pointer);
    for (offset, arg) in [16, 24, 32, 40, 48, 56].into_iter().zip(data.args) {
        assert_eq!(wide(offset), arg);
    }
}

#[test]
fn arithmetic_is_the_kernels() {
    let alu = |a, code, operand: u32| {
        let data = SeccompData::default();
        let constant = result(&[(0x00, 0, 0, a), (code, 0, 0, operand), (0x16, 0, 0, 0)], &data);
        let with_x =
            result(&[(0x01, 0, 0, operand), (0x00, 0, 0, a), (code | 8, 0, 0, 0), (0x16, 0, 0, 0)], &data);
        assert_eq!(constant, with_x, "{code:#x}");
        constant
    };
    assert_eq!(alu(u32::MAX, 0x04, 2), 1);
    assert_eq!(alu(1, 0x14, 2), u32::MAX);
    assert_eq!(alu(0x8000_0001, 0x24, 2), 2);
    assert_eq!(alu(7, 0x34, 2), 3);
    assert_eq!(alu(0b1100, 0x44, 0b1010), 0b1110);
    assert_eq!(alu(0b1100, 0x54, 0b1010), 0b1000);
    assert_eq!(alu(0b1100, 0xa4, 0b1010), 0b0110);
    assert_eq!(alu(3, 0x64, 31), 0x8000_0000);
    assert_eq!(alu(0x8000_0000, 0x74, 31), 1);
    let data = SeccompData::default();
    assert_eq!(result(&[(0x00, 0, 0, 1), (0x84, 0, 0, 0), (0x16, 0, 0, 0)], &data), u32::MAX, "negation");
    assert_eq!(
        result(&[(0x00, 0, 0, 9), (0x3c, 0, 0, 0), (0x06, 0, 0, ALLOW)], &data),
        0,
        "division by X = 0"
    );
    assert_eq!(
        result(&[(0x80, 0, 0, 0), (0x07, 0, 0, 0), (0x00, 0, 0, 5), (0x87, 0, 0, 0), (0x16, 0, 0, 0)], &data),
        64
    );
    let scratch = [
        (0x00, 0, 0, 5),
        (0x02, 0, 0, 15),
        (0x61, 0, 0, 15),
        (0x03, 0, 0, 0),
        (0x60, 0, 0, 0),
        (0x16, 0, 0, 0),
    ];
    assert_eq!(result(&scratch, &data), 5, "through both registers and the scratch memory");
}

#[test]
fn jumps_compare_as_unsigned_numbers() {
    let taken = |code: u16, a, k| {
        let program = [(0x00, 0, 0, a), (code, 1, 0, k), (0x06, 0, 0, 0), (0x06, 0, 0, 1)];
        result(&program, &SeccompData::default()) == 1
    };
    assert!(taken(0x15, 5, 5) && !taken(0x15, 5, 6));
    assert!(taken(0x25, 0x8000_0000, 1) && !taken(0x25, 5, 5));
    assert!(taken(0x35, 5, 5) && !taken(0x35, 4, 5));
    assert!(taken(0x45, 6, 2) && !taken(0x45, 5, 2));
    assert_eq!(result(&[(0x05, 0, 0, 1), (0x06, 0, 0, 0), (0x06, 0, 0, 1)], &SeccompData::default()), 1);
}

#[test]
fn what_the_kernel_would_refuse_is_refused_with_its_position() {
    let refused = |instructions: &[(u16, u8, u8, u32)]| Program::decode(&assemble(instructions)).unwrap_err();
    let ret = (0x06, 0, 0, ALLOW);
    assert_eq!(Program::decode(&[]), Err(BpfError::Length { bytes: 0 }));
    assert_eq!(Program::decode(&[0; 12]), Err(BpfError::Length { bytes: 12 }));
    assert_eq!(refused(&vec![ret; 4097]), BpfError::Length { bytes: 4097 * 8 });
    assert!(Program::decode(&assemble(&vec![ret; 4096])).is_ok());
    assert_eq!(refused(&[(0x28, 0, 0, 0), ret]), BpfError::Opcode { at: 0, code: 0x28 });
    assert_eq!(refused(&[(0x94, 0, 0, 3), ret]), BpfError::Opcode { at: 0, code: 0x94 });
    assert_eq!(refused(&[ret, (0x20, 0, 0, 64), ret]), BpfError::Load { at: 1, offset: 64 });
    assert_eq!(refused(&[(0x20, 0, 0, 6), ret]), BpfError::Load { at: 0, offset: 6 });
    assert_eq!(refused(&[(0x20, 0, 0, u32::MAX - 3), ret]), BpfError::Load { at: 0, offset: u32::MAX - 3 });
    assert_eq!(refused(&[(0x15, 0, 1, 0), ret]), BpfError::Jump { at: 0 });
    assert_eq!(refused(&[(0x15, 1, 0, 0), ret]), BpfError::Jump { at: 0 });
    assert_eq!(refused(&[(0x05, 0, 0, u32::MAX), ret]), BpfError::Jump { at: 0 });
    assert_eq!(refused(&[(0x60, 0, 0, 16), ret]), BpfError::Scratch { at: 0, word: 16 });
    assert_eq!(refused(&[(0x34, 0, 0, 0), ret]), BpfError::Operand { at: 0, operand: 0 });
    assert_eq!(refused(&[(0x64, 0, 0, 32), ret]), BpfError::Operand { at: 0, operand: 32 });
    assert_eq!(refused(&[(0x00, 0, 0, 0)]), BpfError::NoReturn);
    assert_eq!(refused(&[ret, (0x05, 0, 0, 0)]), BpfError::Jump { at: 1 });
}

#[test]
fn results_mean_what_the_kernel_means() {
    for (value, verdict) in [
        (0x8000_0000, Verdict::KillProcess),
        (0x0000_0007, Verdict::KillThread),
        (0x0003_0000, Verdict::Trap),
        (0x0005_0001, Verdict::Errno(1)),
        (0x7fc0_0000, Verdict::Notify),
        (0x7ff0_0009, Verdict::Trace(9)),
        (0x7ffc_0000, Verdict::Log),
        (0x7fff_ffff, Verdict::Allow),
        (0x1234_0000, Verdict::KillProcess),
    ] {
        assert_eq!(Verdict::from_return(value), verdict, "{value:#x}");
    }
}

/// Opcodes that are mostly valid, so that programs reach the interpreter.
fn instruction() -> impl Strategy<Value = (u16, u8, u8, u32)> {
    let codes = vec![
        0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1d, 0x20, 0x24, 0x25, 0x34,
        0x35, 0x3c, 0x44, 0x45, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74, 0x7c, 0x80, 0x81, 0x84, 0x87, 0xa4,
        0xac,
    ];
    let k = prop_oneof![0..16_u32, any::<u32>()];
    (proptest::sample::select(codes), 0..4_u8, 0..4_u8, k)
}

proptest! {
    #[test]
    fn random_bytes_are_refused_or_run_to_an_end(bytes in vec(any::<u8>(), 0..200), args: [u64; 6]) {
        if let Ok(program) = Program::decode(&bytes) {
            let _ = program.run(&SeccompData { args, ..SeccompData::default() });
        }
    }

    #[test]
    fn random_programs_are_refused_or_run_to_an_end(
        mut program in vec(instruction(), 0..30), nr: u32, args: [u64; 6],
    ) {
        program.extend([(0x06, 0, 0, ALLOW); 5]);
        if let Ok(program) = Program::decode(&assemble(&program)) {
            let _ = program.run(&SeccompData { nr, args, ..SeccompData::default() });
        }
    }
}
