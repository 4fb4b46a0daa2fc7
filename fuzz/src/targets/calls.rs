//! Decoding a call: its registers, and what was read of the caller's memory, are the caller's choice.

use std::time::Duration;

use seccomp_trace_core::{
    Arch, Bytes, Call, Comm, Content, Datum, Extent, Outcome, Syscall, Tgid, Tid, Timestamp,
};

use crate::decode::text::{self, Hex};
use crate::decode::{Decoder, Ended, json_value};

/// The first bytes choose ABI, number, outcome and registers, the others are what was read.
pub fn target(data: &[u8]) -> bool {
    let mut rest = data;
    let mut take = |count: usize| {
        let (head, tail) = rest.split_at(count.min(rest.len()));
        rest = tail;
        head.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let arch = Arch::ALL[take(1) as usize % Arch::ALL.len()];
    let nr = take(2) as i32 % 512;
    let value = take(8).cast_signed();
    let outcome = match take(1) % 6 {
        0 => Outcome::Pending,
        1 => Outcome::Never,
        2 => Outcome::Skipped { value },
        3 => Outcome::Returned { value: -(value & 4095), duration: Duration::ZERO },
        _ => Outcome::Returned { value, duration: Duration::ZERO },
    };
    let width = 1 + take(1) as usize % 8;
    let args = [(); 6].map(|()| take(width));
    let mut data = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.len().min(3));
        let length = usize::from(head[head.len() - 1]).min(tail.len());
        let (bytes, tail) = tail.split_at(length);
        data.push(Datum { arg: head[0] % 7, content: content(head[head.len() / 2], bytes) });
        rest = tail;
    }
    let call = Call {
        syscall: Syscall::new(arch, nr),
        pid: Tgid(1),
        tid: Tid(1),
        comm: Comm::default(),
        args,
        entered: Timestamp::from_unix_nanos(0),
        outcome,
        data,
    };
    let mut any = false;
    for decoder in [Decoder::default(), Decoder { verbose: true, descriptors: true, string_limit: 4 }] {
        let decoded = decoder.decode(&call);
        any |= call.syscall.name().is_some() && !decoded.arguments.is_empty();
        let result = match &decoded.ended {
            Ended::Returned { value, .. } | Ended::Skipped { value, .. } => Some(value),
            _ => None,
        };
        for value in decoded.arguments.iter().map(|argument| &argument.value).chain(result) {
            for hex in [Hex::None, Hex::NonAscii, Hex::All] {
                let mut out = String::new();
                text::push(&mut out, value, hex);
                assert!(!out.is_empty() && out.bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{out:?}");
            }
            let json = json_value(value).to_string();
            assert!(!json.contains(seccomp_trace_core::is_unprintable), "{json}");
        }
    }
    any
}

fn content(kind: u8, bytes: &[u8]) -> Content {
    let extent = match kind & 3 {
        0 => Extent::Cut,
        1 => Extent::Unreadable,
        _ => Extent::Whole,
    };
    let whole = Bytes { bytes: bytes.to_vec(), extent };
    match kind >> 2 & 7 {
        0 => Content::Null,
        1 => Content::NoDescriptor,
        2 => Content::Descriptor(whole),
        3 => {
            let elements = bytes.split(|byte| *byte == 0);
            let elements = elements.map(|element| Bytes { bytes: element.to_vec(), extent });
            Content::List { elements: elements.collect(), extent }
        }
        4 => Content::Count(bytes.len() as u64),
        _ => Content::Bytes(whole),
    }
}
