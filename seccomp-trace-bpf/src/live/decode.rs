//! Records of the live view's ring. Pure.

use std::mem::{offset_of, size_of};

use seccomp_trace_core::{Comm, Syscall};

use super::data::{self, Item};
use super::siginfo::{self, Info};
use crate::skel::live::types::{self, live_kind, live_outcome};
use crate::wire;

/// Why the bytes of a record are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("a record of {0} bytes")]
    Length(usize),
    #[error("unknown kind {0}")]
    Kind(u32),
    #[error("unknown ABI {0}")]
    Abi(u8),
    #[error("unknown outcome {0}")]
    Outcome(u32),
    #[error("an item that is longer than its record")]
    Item,
    #[error("unknown kind {0} of an item")]
    ItemKind(u32),
    #[error("unknown extent {0} of an item")]
    Extent(u32),
}

/// What every record begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) tgid: u32,
    pub(crate) tid: u32,
    pub(crate) seq: u32,
    pub(crate) time_ns: u64,
}

/// How a call went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Returned,
    Pending,
    Never,
    Skipped,
}

/// A call, as far as its record has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) syscall: Syscall,
    pub(crate) comm: Comm,
    pub(crate) args: [u64; 6],
    pub(crate) left_ns: u64,
    pub(crate) value: i64,
    pub(crate) end: End,
    /// Bits: reads of which there should be an item, and is none.
    pub(crate) missing: u8,
    /// Whether there are items that were sent ahead.
    pub(crate) parted: bool,
    pub(crate) items: Vec<Item>,
}

/// A decoded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    Call(Head, Box<Shown>),
    /// Items of a call that is still to come.
    Ahead(Head, Vec<Item>),
    Signal(Head, Info),
    /// With its status, and the thread whose exec was its end.
    Exit(Head, i32, Option<u32>),
}

impl Record {
    pub(crate) fn head(&self) -> Head {
        match self {
            Self::Call(head, _) | Self::Ahead(head, _) | Self::Signal(head, _) | Self::Exit(head, ..) => {
                *head
            }
        }
    }
}

/// Decodes one record of the ring.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record, DecodeError> {
    let length = DecodeError::Length(bytes.len());
    let field = |offset| wire::u32_at(bytes, offset).ok_or(length);
    let head = Head {
        slot: field(offset_of!(types::live_head, slot))?,
        generation: field(offset_of!(types::live_head, generation))?,
        tgid: field(offset_of!(types::live_head, tgid))?,
        tid: field(offset_of!(types::live_head, tid))?,
        seq: field(offset_of!(types::live_head, seq))?,
        time_ns: wire::u64_at(bytes, offset_of!(types::live_head, time_ns)).ok_or(length)?,
    };
    let sized = |size| if bytes.len() == size { Ok(()) } else { Err(length) };
    match live_kind(field(offset_of!(types::live_head, kind))?) {
        live_kind::LIVE_CALL => Ok(Record::Call(head, Box::new(call(bytes)?))),
        live_kind::LIVE_DATA_OF_CALL => {
            let len = usize::try_from(field(offset_of!(types::live_call, len))?).map_err(|_| length)?;
            let items = bytes.get(size_of::<types::live_call>()..).ok_or(length)?;
            if items.len() != len {
                return Err(length);
            }
            Ok(Record::Ahead(head, data::items(items)?))
        }
        live_kind::LIVE_SIGNAL => {
            sized(size_of::<types::live_signal>())?;
            let info = siginfo::parse(&bytes[offset_of!(types::live_signal, info)..]).ok_or(length)?;
            Ok(Record::Signal(head, info))
        }
        live_kind::LIVE_EXIT => {
            sized(size_of::<types::live_exit>())?;
            let status = field(offset_of!(types::live_exit, status))?;
            let by = field(offset_of!(types::live_exit, superseded_by))?;
            Ok(Record::Exit(head, i32::from_ne_bytes(status.to_ne_bytes()), (by != 0).then_some(by)))
        }
        other => Err(DecodeError::Kind(other.0)),
    }
}

fn call(bytes: &[u8]) -> Result<Shown, DecodeError> {
    let length = DecodeError::Length(bytes.len());
    let byte = |offset: usize| bytes.get(offset).copied().ok_or(length);
    let word = |offset| wire::u32_at(bytes, offset).ok_or(length);
    let long = |offset| wire::u64_at(bytes, offset).ok_or(length);
    let signed = |value: u32| i32::from_ne_bytes(value.to_ne_bytes());
    let end = match live_outcome(byte(offset_of!(types::live_call, outcome))?.into()) {
        live_outcome::LIVE_RETURNED => End::Returned,
        live_outcome::LIVE_PENDING => End::Pending,
        live_outcome::LIVE_NEVER => End::Never,
        live_outcome::LIVE_SKIPPED => End::Skipped,
        other => return Err(DecodeError::Outcome(other.0)),
    };
    let len = usize::try_from(word(offset_of!(types::live_call, len))?).map_err(|_| length)?;
    let items = bytes.get(size_of::<types::live_call>()..).ok_or(length)?;
    // The record of a call that goes on has a fixed size.
    if if end == End::Pending { items.len() < len } else { items.len() != len } {
        return Err(length);
    }
    let abi = byte(offset_of!(types::live_call, abi))?;
    let arch = wire::arch_of(abi.into()).ok_or(DecodeError::Abi(abi))?;
    let mut args = [0; 6];
    for (index, arg) in args.iter_mut().enumerate() {
        *arg = long(offset_of!(types::live_call, args) + index * size_of::<u64>())?;
    }
    let comm = offset_of!(types::live_call, comm);
    let comm = bytes.get(comm..comm + 16).and_then(|field| field.try_into().ok()).ok_or(length)?;
    Ok(Shown {
        syscall: Syscall::new(arch, signed(word(offset_of!(types::live_call, nr))?)),
        comm: Comm::from_kernel(comm),
        args,
        left_ns: long(offset_of!(types::live_call, left_ns))?,
        value: i64::from_ne_bytes(long(offset_of!(types::live_call, value))?.to_ne_bytes()),
        end,
        missing: byte(offset_of!(types::live_call, missing))?,
        parted: byte(offset_of!(types::live_call, parted))? != 0,
        items: data::items(&items[..len])?,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use seccomp_trace_core::Arch;

    use super::*;
    use crate::skel::live::types::{live_extent, live_item_kind};

    /// A record of a call of number 39 by thread 8 of process 7, with these items.
    pub(crate) fn record(kind: live_kind, end: live_outcome, items: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; size_of::<types::live_call>()];
        let mut word = |offset: usize, value: u32| wire::put(&mut bytes, offset, &value.to_ne_bytes());
        word(offset_of!(types::live_head, kind), kind.0);
        word(offset_of!(types::live_head, slot), 1);
        word(offset_of!(types::live_head, generation), 3);
        word(offset_of!(types::live_head, tgid), 7);
        word(offset_of!(types::live_head, tid), 8);
        word(offset_of!(types::live_head, seq), 9);
        word(offset_of!(types::live_call, nr), 39);
        word(offset_of!(types::live_call, len), u32::try_from(items.len()).unwrap());
        wire::put(&mut bytes, offset_of!(types::live_call, args) + 40, &u64::MAX.to_ne_bytes());
        wire::put(&mut bytes, offset_of!(types::live_call, value), &(-2i64).to_ne_bytes());
        bytes[offset_of!(types::live_call, outcome)] = wire::lowest_byte(end.0);
        [bytes, items.to_vec()].concat()
    }

    fn item() -> Vec<u8> {
        let kind = live_item_kind::LIVE_ITEM_STRING;
        data::tests::encode(0, 0, kind, live_extent::LIVE_WHOLE, b"a path")
    }

    #[test]
    fn a_call_is_decoded() {
        let bytes = record(live_kind::LIVE_CALL, live_outcome::LIVE_RETURNED, &item());
        let Record::Call(head, call) = decode(&bytes).unwrap() else { panic!("no call") };
        assert_eq!((head.slot, head.generation, head.tgid, head.tid, head.seq), (1, 3, 7, 8, 9));
        assert_eq!(call.syscall, Syscall::new(Arch::native().unwrap(), 39));
        assert_eq!((call.value, call.args[5], call.items.len()), (-2, u64::MAX, 1));
    }

    #[test]
    fn records_of_another_length_than_theirs_are_refused() {
        let good = record(live_kind::LIVE_CALL, live_outcome::LIVE_RETURNED, &item());
        for len in 0..good.len() {
            assert_eq!(decode(&good[..len]), Err(DecodeError::Length(len)));
        }
        let long = [good, vec![0]].concat();
        assert_eq!(decode(&long), Err(DecodeError::Length(long.len())));
        let ahead = record(live_kind::LIVE_DATA_OF_CALL, live_outcome::LIVE_RETURNED, &item());
        assert!(matches!(decode(&ahead), Ok(Record::Ahead(_, items)) if items.len() == 1));
        assert_eq!(decode(&ahead[..ahead.len() - 8]), Err(DecodeError::Length(ahead.len() - 8)));
        for kind in [live_kind::LIVE_SIGNAL, live_kind::LIVE_EXIT] {
            let wrong = record(kind, live_outcome::LIVE_RETURNED, &[]);
            assert_eq!(decode(&wrong), Err(DecodeError::Length(wrong.len())));
        }
    }

    /// It has room for more than it holds.
    #[test]
    fn a_pending_call_may_be_longer_than_its_items() {
        let pending = record(live_kind::LIVE_CALL, live_outcome::LIVE_PENDING, &item());
        let padded = [pending.clone(), vec![0xff; 32]].concat();
        assert_eq!(decode(&padded), decode(&pending));
        assert!(decode(&pending[..pending.len() - 1]).is_err());
    }

    #[test]
    fn what_is_unknown_is_an_error_that_names_it() {
        let good = record(live_kind::LIVE_CALL, live_outcome::LIVE_RETURNED, &[]);
        let with = |offset: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[offset] = value;
            decode(&bytes)
        };
        assert_eq!(with(offset_of!(types::live_head, kind), 9), Err(DecodeError::Kind(9)));
        assert_eq!(with(offset_of!(types::live_call, abi), 3), Err(DecodeError::Abi(3)));
        assert_eq!(with(offset_of!(types::live_call, outcome), 0), Err(DecodeError::Outcome(0)));
    }

    proptest! {
        /// This runs below C code, which a panic must not cross.
        #[test]
        fn no_bytes_are_too_strange(kind in 0u8..6, mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(first) = bytes.first_mut() {
                *first = kind;
            }
            let _ = decode(&bytes);
        }
    }
}
