//! BTF as it lies in memory, without copies: `include/uapi/linux/btf.h` and `Documentation/bpf/btf.rst`.

/// `struct btf_header` up to `str_len`.
const HEADER: usize = 24;
const MAGIC: u16 = 0xeb9f;
/// Of so many types one's place is kept: the memory counts.
const STEP: u32 = 16;
/// `struct btf_type`.
pub(super) const TYPE: usize = 12;

/// `BTF_KIND_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Ptr,
    Array,
    /// A structure or a union: members follow.
    Composite,
    Enum,
    Fwd,
    Typedef,
    /// `const`, `volatile`, `restrict` and type tags.
    Modifier,
    Enum64,
    Float,
    /// Functions, variables, sections, tags of declarations: no part of any type.
    Other,
}

/// One type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type<'a> {
    pub(super) kind: Kind,
    /// The type itself and what follows it.
    pub(super) bytes: &'a [u8],
}

/// All types of a kernel, or a part of them.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    types: &'a [u8],
    strings: &'a [u8],
    /// Where every [`STEP`]th type begins; that of number 1 is the first.
    offsets: Vec<u32>,
    count: u32,
}

impl<'a> Raw<'a> {
    /// `None` where this is not BTF, or has a kind of type that is not known here.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() < HEADER || u16::from_ne_bytes(bytes[..2].try_into().ok()?) != MAGIC {
            return None;
        }
        let field = |offset| u32_at(bytes, offset).map(|value| value as usize);
        let section = |offset: usize, len: usize| {
            let begin = field(4)?.checked_add(field(offset)?)?;
            bytes.get(begin..begin.checked_add(field(len)?)?)
        };
        let (types, strings) = (section(8, 12)?, section(16, 20)?);
        let mut offsets = Vec::new();
        let (mut at, mut count) = (0, 0);
        while at < types.len() {
            if count % STEP == 0 {
                offsets.push(u32::try_from(at).ok()?);
            }
            count += 1;
            at = at.checked_add(size_of(types.get(at..)?)?.1)?;
        }
        (at == types.len()).then_some(Self { types, strings, offsets, count })
    }

    /// The type of this number; none for 0, which is `void`.
    pub(super) fn get(&self, id: u32) -> Option<Type<'a>> {
        let index = id.checked_sub(1).filter(|index| *index < self.count)?;
        let mut rest = &self.types[*self.offsets.get((index / STEP) as usize)? as usize..];
        for _ in 0..index % STEP {
            rest = rest.get(size_of(rest)?.1..)?;
        }
        first(rest)
    }

    /// Every type with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Type<'a>)> + '_ {
        let mut rest = self.types;
        let types = std::iter::from_fn(move || {
            let found = first(rest)?;
            rest = rest.get(found.bytes.len()..)?;
            Some(found)
        });
        (1..).zip(types)
    }

    /// The number of the type definition of this name.
    pub(super) fn find_typedef(&self, name: &str) -> Option<u32> {
        let is_it =
            |string: &[u8]| string.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.first() == Some(&0));
        let found =
            self.iter().find(|(_, kind)| kind.kind == Kind::Typedef && is_it(self.name(kind.name_offset())));
        found.map(|(id, _)| id)
    }

    /// The strings from this offset on: a name ends at the first zero byte.
    pub(super) fn name(&self, offset: u32) -> &'a [u8] {
        self.strings.get(offset as usize..).unwrap_or_default()
    }
}

impl Type<'_> {
    /// Where its name is in the strings.
    pub(super) fn name_offset(&self) -> u32 {
        u32_at(self.bytes, 0).unwrap_or_default()
    }

    /// Where, in its bytes, the offsets of names are.
    pub(super) fn names(&self) -> impl Iterator<Item = usize> + use<> {
        let step = match self.kind {
            Kind::Composite | Kind::Enum64 => 12,
            Kind::Enum => 8,
            _ => self.bytes.len(),
        };
        std::iter::once(0).chain((TYPE..self.bytes.len()).step_by(step.max(1)).filter(move |_| step < 13))
    }

    /// Where, in its bytes, the numbers are of types that are a part of it. What a pointer points to is none.
    pub(super) fn parts(&self) -> Vec<usize> {
        match self.kind {
            Kind::Typedef | Kind::Modifier => vec![8],
            Kind::Array => vec![TYPE, TYPE + 4],
            Kind::Composite => (TYPE + 4..self.bytes.len()).step_by(12).collect(),
            _ => Vec::new(),
        }
    }
}

fn first(types: &[u8]) -> Option<Type<'_>> {
    let (kind, size) = size_of(types)?;
    Some(Type { kind, bytes: types.get(..size)? })
}

/// The kind of the first type, and how many bytes it has with what follows it.
fn size_of(types: &[u8]) -> Option<(Kind, usize)> {
    let info = u32_at(types, 4)?;
    let count = (info & 0xffff) as usize;
    let (kind, more) = match (info >> 24) & 0x1f {
        1 => (Kind::Int, 4),
        2 => (Kind::Ptr, 0),
        3 => (Kind::Array, 12),
        4 | 5 => (Kind::Composite, 12 * count),
        6 => (Kind::Enum, 8 * count),
        7 => (Kind::Fwd, 0),
        8 => (Kind::Typedef, 0),
        9..=11 | 18 => (Kind::Modifier, 0),
        12 => (Kind::Other, 0),
        13 => (Kind::Other, 8 * count),
        14 | 17 => (Kind::Other, 4),
        15 => (Kind::Other, 12 * count),
        16 => (Kind::Float, 0),
        19 => (Kind::Enum64, 12 * count),
        _ => return None,
    };
    Some((kind, TYPE + more))
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..offset.checked_add(4)?)?;
    Some(u32::from_ne_bytes(field.try_into().ok()?))
}
