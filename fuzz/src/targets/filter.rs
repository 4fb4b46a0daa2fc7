//! seccomp filters in the kernel's form.

use seccomp_trace_profile::bpf::{Program, SeccompData};

use super::understood;

/// Bytes of a call before those of the filter.
const CALL: usize = 64;

/// A filter that is taken ends, and says the same each time.
pub fn target(data: &[u8]) -> bool {
    let Some((call, program)) = data.split_at_checked(CALL) else { return false };
    let Some(program) = understood(Program::decode(program)) else { return false };
    let call = decode(call);
    let calls = [call, SeccompData { arch: !call.arch, ..call }, SeccompData { args: [u64::MAX; 6], ..call }];
    for call in [calls[0], calls[1], calls[2], SeccompData::default()] {
        let result = program.result(&call);
        assert_eq!(program.result(&call), result);
        assert!(!program.run(&call).to_string().is_empty());
    }
    assert!((1..=4096).contains(&program.len()));
    true
}

/// `struct seccomp_data`, as it lies in memory.
fn decode(bytes: &[u8]) -> SeccompData {
    let wide = |at: usize| {
        let word: [u8; 8] = std::array::from_fn(|index| bytes[at + index]);
        u64::from_ne_bytes(word)
    };
    let narrow = |at: usize| u32::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
    SeccompData {
        nr: narrow(0),
        arch: narrow(4),
        instruction_pointer: wide(8),
        args: std::array::from_fn(|index| wide(16 + 8 * index)),
    }
}
