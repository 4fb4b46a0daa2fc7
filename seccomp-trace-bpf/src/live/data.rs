//! What was read of one call: from the items of its records to the data of a [`Call`](seccomp_trace_core::Call).

use std::collections::BTreeMap;
use std::mem::{offset_of, size_of};

use seccomp_trace_core::{Bytes, Content, Datum, Extent, Read, What};

use super::decode::DecodeError;
use super::file::{self, File};
use crate::skel::live::types::{self, live_extent, live_item_kind as item_kind};
use crate::wire;

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Which read of the call's plan it is of.
    read: u8,
    arg: u8,
    piece: Piece,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// All that was found.
    Whole(Content),
    /// An element of a list.
    Element(Bytes),
    /// The end of a list.
    End(Extent),
}

/// Reads the items of a record.
pub(crate) fn items(mut bytes: &[u8]) -> Result<Vec<Item>, DecodeError> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        let len = wire::u32_at(bytes, offset_of!(types::live_item, len)).ok_or(DecodeError::Item)?;
        let len = usize::try_from(len).map_err(|_| DecodeError::Item)?;
        let end = size_of::<types::live_item>().checked_add(len).ok_or(DecodeError::Item)?;
        let content = bytes.get(size_of::<types::live_item>()..end).ok_or(DecodeError::Item)?;
        items.push(item(bytes, content)?);
        bytes = bytes.get(end.next_multiple_of(8)..).unwrap_or_default();
    }
    Ok(items)
}

fn item(header: &[u8], content: &[u8]) -> Result<Item, DecodeError> {
    let byte = |offset: usize| header.get(offset).copied().ok_or(DecodeError::Item);
    let extent = match live_extent(byte(offset_of!(types::live_item, extent))?.into()) {
        live_extent::LIVE_WHOLE => Extent::Whole,
        live_extent::LIVE_CUT => Extent::Cut,
        live_extent::LIVE_UNREADABLE => Extent::Unreadable,
        other => return Err(DecodeError::Extent(other.0)),
    };
    let bytes = || Bytes { bytes: content.to_vec(), extent };
    let piece = match item_kind(byte(offset_of!(types::live_item, kind))?.into()) {
        item_kind::LIVE_ITEM_NULL => Piece::Whole(Content::Null),
        item_kind::LIVE_ITEM_STRING => Piece::Whole(Content::Bytes(string(content, extent))),
        item_kind::LIVE_ITEM_BYTES => Piece::Whole(Content::Bytes(bytes())),
        item_kind::LIVE_ITEM_ELEMENT => Piece::Element(bytes()),
        item_kind::LIVE_ITEM_STRING_ELEMENT => Piece::Element(string(content, extent)),
        item_kind::LIVE_ITEM_END => Piece::End(extent),
        item_kind::LIVE_ITEM_FILE => {
            let file = File::parse(content).ok_or(DecodeError::Item)?;
            Piece::Whole(Content::Descriptor(Bytes { bytes: file::name(&file), extent }))
        }
        item_kind::LIVE_ITEM_NO_FILE => Piece::Whole(Content::NoDescriptor),
        item_kind::LIVE_ITEM_COUNT => {
            Piece::Whole(Content::Count(wire::u64_at(content, 0).ok_or(DecodeError::Item)?))
        }
        other => return Err(DecodeError::ItemKind(other.0)),
    };
    let (read, arg) = (byte(offset_of!(types::live_item, read))?, byte(offset_of!(types::live_item, arg))?);
    Ok(Item { read, arg, piece })
}

/// A string that was read up to the end of a page may have its NUL there.
fn string(content: &[u8], extent: Extent) -> Bytes {
    match content.iter().position(|byte| *byte == 0) {
        Some(end) => Bytes { bytes: content[..end].to_vec(), extent: Extent::Whole },
        None => Bytes { bytes: content.to_vec(), extent },
    }
}

/// The data of a call whose reads were `reads`. Bits of `missing`: those of which there is no item, and should be.
pub(crate) fn assemble(items: Vec<Item>, missing: u8, reads: &[Read]) -> Vec<Datum> {
    let mut data: BTreeMap<u8, Datum> = BTreeMap::new();
    for Item { read, arg, piece } in items {
        let datum = match piece {
            Piece::Whole(content) => {
                // The kernel's number is worth more than the part that was read, whichever is met first.
                if matches!(data.get(&read), Some(Datum { content: Content::Count(_), .. })) {
                    continue;
                }
                Datum { arg, content }
            }
            Piece::Element(element) => {
                let list = data.entry(read).or_insert_with(|| open_list(arg));
                if let Content::List { elements, .. } = &mut list.content {
                    elements.push(element);
                }
                continue;
            }
            Piece::End(end) => {
                let list = data.entry(read).or_insert_with(|| open_list(arg));
                if let Content::List { extent, .. } = &mut list.content {
                    *extent = end;
                }
                continue;
            }
        };
        data.insert(read, datum);
    }
    for (index, read) in (0u8..8).zip(reads) {
        if missing >> index & 1 == 1 {
            data.entry(index).or_insert_with(|| unreadable(*read));
        }
    }
    data.into_values().collect()
}

/// A list whose end has not been met: where it never is, there was no room for more.
fn open_list(arg: u8) -> Datum {
    Datum { arg, content: Content::List { elements: Vec::new(), extent: Extent::Cut } }
}

fn unreadable(read: Read) -> Datum {
    let extent = Extent::Unreadable;
    let content = match read.what {
        What::Strings | What::Iovec { .. } => Content::List { elements: Vec::new(), extent },
        What::Descriptor => Content::NoDescriptor,
        _ => Content::Bytes(Bytes { bytes: Vec::new(), extent }),
    };
    Datum { arg: read.arg, content }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use seccomp_trace_core::{Length, When};

    use super::*;

    pub(crate) fn encode(read: u8, arg: u8, of: item_kind, extent: live_extent, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![read, arg, wire::lowest_byte(of.0), wire::lowest_byte(extent.0)];
        bytes.extend(u32::try_from(content.len()).unwrap().to_ne_bytes());
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn bytes(text: &[u8], extent: Extent) -> Bytes {
        Bytes { bytes: text.to_vec(), extent }
    }

    const WHOLE: live_extent = live_extent::LIVE_WHOLE;
    const UNREADABLE: live_extent = live_extent::LIVE_UNREADABLE;

    #[test]
    fn a_list_is_put_together_from_its_elements() {
        let wire = [
            encode(1, 1, item_kind::LIVE_ITEM_STRING_ELEMENT, WHOLE, b"ls"),
            encode(1, 1, item_kind::LIVE_ITEM_STRING_ELEMENT, live_extent::LIVE_CUT, b"long"),
            encode(1, 1, item_kind::LIVE_ITEM_END, UNREADABLE, b""),
            encode(0, 0, item_kind::LIVE_ITEM_STRING, WHOLE, b"/bin/ls"),
        ]
        .concat();
        let data = assemble(items(&wire).unwrap(), 0, &[]);
        let elements = vec![bytes(b"ls", Extent::Whole), bytes(b"long", Extent::Cut)];
        let list = Content::List { elements, extent: Extent::Unreadable };
        let path = Content::Bytes(bytes(b"/bin/ls", Extent::Whole));
        assert_eq!(data, [Datum { arg: 0, content: path }, Datum { arg: 1, content: list }]);
    }

    /// Reading stops at a page that is not there; the string may have ended before.
    #[test]
    fn a_string_with_its_nul_is_whole_whatever_comes_after() {
        let wire = encode(0, 0, item_kind::LIVE_ITEM_STRING, UNREADABLE, b"ab\0cd");
        let data = assemble(items(&wire).unwrap(), 0, &[]);
        assert_eq!(data[0].content, Content::Bytes(bytes(b"ab", Extent::Whole)));
        let wire = encode(0, 0, item_kind::LIVE_ITEM_STRING, UNREADABLE, b"ab");
        let data = assemble(items(&wire).unwrap(), 0, &[]);
        assert_eq!(data[0].content, Content::Bytes(bytes(b"ab", Extent::Unreadable)));
    }

    #[test]
    fn what_the_kernel_counted_is_worth_more_than_a_part() {
        let counted = encode(2, 2, item_kind::LIVE_ITEM_COUNT, WHOLE, &64u64.to_ne_bytes());
        let part = encode(2, 2, item_kind::LIVE_ITEM_BYTES, live_extent::LIVE_CUT, b"part");
        for wire in [[&counted[..], &part].concat(), [&part[..], &counted].concat()] {
            let data = assemble(items(&wire).unwrap(), 0, &[]);
            assert_eq!(data, [Datum { arg: 2, content: Content::Count(64) }]);
        }
        assert_eq!(items(&encode(2, 2, item_kind::LIVE_ITEM_COUNT, WHOLE, b"four")), Err(DecodeError::Item));
    }

    #[test]
    fn what_should_have_been_read_and_was_not_says_so() {
        let read = |arg, what| Read { arg, what, when: When::Entry };
        let reads = [
            read(0, What::Path),
            read(1, What::Strings),
            read(2, What::Descriptor),
            read(3, What::Struct(Length::Fixed(8))),
        ];
        let found = encode(3, 3, item_kind::LIVE_ITEM_BYTES, WHOLE, b"x");
        let data = assemble(items(&found).unwrap(), 0b1111, &reads);
        let extents: Vec<_> = data.iter().map(|datum| &datum.content).collect();
        assert!(matches!(extents[0], Content::Bytes(Bytes { extent: Extent::Unreadable, .. })));
        assert!(matches!(extents[1], Content::List { extent: Extent::Unreadable, .. }));
        assert!(matches!(extents[2], Content::NoDescriptor));
        assert!(matches!(extents[3], Content::Bytes(Bytes { extent: Extent::Whole, .. })));
    }

    #[test]
    fn what_is_not_an_item_is_an_error_that_says_why() {
        let good = encode(0, 0, item_kind::LIVE_ITEM_STRING, WHOLE, b"abc");
        for len in 1..11 {
            assert_eq!(items(&good[..len]), Err(DecodeError::Item), "{len} bytes");
        }
        assert_eq!(items(&encode(0, 0, item_kind(99), WHOLE, b"")), Err(DecodeError::ItemKind(99)));
        let wrong = encode(0, 0, item_kind::LIVE_ITEM_NULL, live_extent(7), b"");
        assert_eq!(items(&wrong), Err(DecodeError::Extent(7)));
        let long = [0, 0, 1, 1, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(items(&long), Err(DecodeError::Item));
    }

    proptest! {
        /// Whatever lies in the ring, reading it ends.
        #[test]
        fn no_bytes_are_too_strange(bytes: Vec<u8>) {
            if let Ok(items) = items(&bytes) {
                prop_assert!(items.len() <= bytes.len());
                let _ = assemble(items, 0xff, &[]);
            }
        }
    }
}
