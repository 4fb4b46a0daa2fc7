//! The types of certain names, with all that is a part of them.

use std::collections::HashMap;

use super::raw::{Kind, Raw, Type, u32_at};

/// BTF that has only the types whose names are wanted, and their parts; pointers point to `void`. `None` where a part is
/// missing.
pub(super) fn reduce(raw: &Raw<'_>, names: &[&str]) -> Option<Vec<u8>> {
    let wanted = Wanted::new(names);
    let mut kept = Kept::default();
    let named = |kind| matches!(kind, Kind::Composite | Kind::Enum | Kind::Enum64 | Kind::Typedef);
    for (id, kind) in raw.iter().filter(|(_, kind)| named(kind.kind)) {
        if wanted.has(raw.name(kind.name_offset())) {
            kept.number(id);
        }
    }
    let mut types = Vec::new();
    let mut next = 0;
    while let Some(&id) = kept.order.get(next) {
        types.extend(kept.rewrite(raw, raw.get(id)?)?);
        next += 1;
    }
    Some(kept.finish(&types))
}

/// Names, by their first byte.
struct Wanted<'a>(Vec<Vec<&'a [u8]>>);

impl<'a> Wanted<'a> {
    fn new(names: &[&'a str]) -> Self {
        let mut by_first = vec![Vec::new(); 256];
        for name in names.iter().map(|name| name.as_bytes()).filter(|name| !name.is_empty()) {
            by_first[usize::from(name[0])].push(name);
        }
        Self(by_first)
    }

    /// Whether the string that begins here is one of the names, or one with a flavour (`name___flavour`), which CO-RE
    /// takes for the same type.
    fn has(&self, string: &[u8]) -> bool {
        let Some(first) = string.first() else { return false };
        self.0[usize::from(*first)].iter().any(|name| {
            let rest = string.strip_prefix(*name);
            rest.is_some_and(|rest| rest.first() == Some(&0) || rest.starts_with(b"___"))
        })
    }
}

/// What is in the result.
#[derive(Default)]
struct Kept {
    /// The old numbers, in the order of the new ones.
    order: Vec<u32>,
    numbers: HashMap<u32, u32>,
    strings: Vec<u8>,
    offsets: HashMap<u32, u32>,
}

impl Kept {
    /// The new number of a type; 0 stays 0.
    fn number(&mut self, id: u32) -> u32 {
        if id == 0 {
            return 0;
        }
        let next = u32::try_from(self.order.len() + 1).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(id).or_insert(next);
        if number == next {
            self.order.push(id);
        }
        number
    }

    /// Where a name is in the new strings.
    fn name(&mut self, raw: &Raw<'_>, offset: u32) -> u32 {
        if self.strings.is_empty() {
            self.strings.push(0);
        }
        if offset == 0 {
            return 0;
        }
        let next = u32::try_from(self.strings.len()).unwrap_or(u32::MAX);
        *self.offsets.entry(offset).or_insert_with(|| {
            let name = raw.name(offset);
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            self.strings.extend(&name[..end]);
            self.strings.push(0);
            next
        })
    }

    /// The type with its new names and numbers.
    fn rewrite(&mut self, raw: &Raw<'_>, old: Type<'_>) -> Option<Vec<u8>> {
        let mut new = old.bytes.to_vec();
        for at in old.names() {
            let name = self.name(raw, u32_at(old.bytes, at)?);
            new[at..at + 4].copy_from_slice(&name.to_ne_bytes());
        }
        for at in old.parts() {
            let number = self.number(u32_at(old.bytes, at)?);
            new[at..at + 4].copy_from_slice(&number.to_ne_bytes());
        }
        if old.kind == Kind::Ptr {
            new[8..12].fill(0);
        }
        Some(new)
    }

    /// Header, types and strings.
    fn finish(self, types: &[u8]) -> Vec<u8> {
        let len = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_ne_bytes();
        let header = [
            &0xeb9f_u16.to_ne_bytes()[..],
            // Version and flags.
            &[1, 0],
            &24_u32.to_ne_bytes(),
            &0_u32.to_ne_bytes(),
            &len(types),
            &len(types),
            &len(&self.strings),
        ];
        [&header.concat(), types, &self.strings].concat()
    }
}
