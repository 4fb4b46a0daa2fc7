//! What the arguments of each call are, from `tables/signatures.txt`.

use std::collections::HashMap;
use std::sync::OnceLock;

use seccomp_trace_core::Arch;

use super::by_abi::split_arches;
use super::constants::Constant;
use super::number::{Form, Number, Width};
use super::structs::Item;

/// How long something in memory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    One,
    Fixed(u16),
    /// As many as this register says.
    Register(u8),
    /// As many as the call returned.
    Returned,
    /// As many bytes as this register says.
    Bytes(u8),
    /// As many bytes as the call returned.
    ReturnedBytes,
}

/// When the caller's memory holds something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    In,
    Out,
    InOut,
}

impl Moment {
    pub(crate) fn is_in(self) -> bool {
        self != Self::Out
    }

    pub(crate) fn is_out(self) -> bool {
        self != Self::In
    }
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Number(Number),
    /// A number of 64 bits in this register and the next, the low half first.
    Pair {
        number: Number,
        high_first: bool,
    },
    Path,
    Text,
    /// A path that the kernel writes.
    WrittenPath,
    Buffer {
        length: Length,
        out: bool,
        binary: bool,
    },
    Arguments,
    Environment,
    Vectors {
        count: u8,
        out: bool,
    },
    /// A socket address; of an `out` one the length is where a register points.
    SocketAddress {
        length: u8,
        out: bool,
    },
    /// The value of a socket option; see `length` of socket addresses.
    OptionValue {
        length: u8,
        out: bool,
        text: bool,
    },
    DescriptorSet {
        count: u8,
    },
    /// What is written when a signal interrupts the call, which then has failed: not read.
    Interrupted,
    Memory {
        item: Item,
        length: Length,
        moment: Moment,
    },
    /// A structure that asks for something, in whose place the kernel puts another where it knows.
    Answer {
        question: Item,
        answer: Item,
    },
}

/// A test of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// Whether bits are looked for, or the whole value compared.
    has: bool,
    any: Vec<Constant>,
}

impl Test {
    fn holds(&self, value: u64) -> bool {
        self.any.iter().any(|constant| if self.has { constant.is_in(value) } else { constant.value == value })
    }
}

/// A parameter.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    /// Whether it is printed with its name.
    pub(crate) named: bool,
    pub(crate) register: u8,
    pub(crate) ty: Type,
    guard: Option<Test>,
    condition: Option<(u8, Number, Test)>,
}

impl Parameter {
    /// Whether a call with these registers has it.
    pub(crate) fn is_there(&self, registers: &[u64; 6], arch: Arch) -> bool {
        self.condition.as_ref().is_none_or(|(register, number, test)| {
            registers.get(usize::from(*register)).is_some_and(|raw| test.holds(number.cut(*raw, arch)))
        })
    }

    fn admits(&self, registers: &[u64; 6], arch: Arch) -> bool {
        let (Some(guard), Type::Number(number)) = (&self.guard, self.ty) else { return true };
        registers.get(usize::from(self.register)).is_some_and(|raw| guard.holds(number.cut(*raw, arch)))
    }
}

/// What a call returns where it does not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    Number(Number),
    /// Flags of this set.
    Flags(&'static str),
    /// How many descriptors of the first argument are ready.
    Ready,
    /// How many descriptors of three sets are ready.
    Selected,
}

/// One form of a call.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returns: Returns,
}

impl Signature {
    /// Whether a call with these registers has this form.
    pub(crate) fn admits(&self, registers: &[u64; 6], arch: Arch) -> bool {
        self.parameters.iter().all(|parameter| parameter.admits(registers, arch))
    }
}

/// The forms that a call of this name can have in an ABI, the most special first; none of an unknown call.
pub(crate) fn forms(arch: Arch, name: &str) -> &'static [Signature] {
    static TABLES: [OnceLock<HashMap<&str, Vec<Signature>>>; Arch::ALL.len()] =
        [const { OnceLock::new() }; Arch::ALL.len()];
    let index = Arch::ALL.iter().position(|known| *known == arch).unwrap_or(0);
    let table = TABLES[index].get_or_init(|| parse(TEXT, arch).expect("a test reads every line"));
    table.get(name).map_or(&[], |forms| forms)
}

const TEXT: &str = include_str!("tables/signatures.txt");

fn parse(text: &'static str, arch: Arch) -> Result<HashMap<&'static str, Vec<Signature>>, String> {
    let mut forms: HashMap<_, Vec<Signature>> = HashMap::new();
    // Names of which a line is about this ABI alone.
    let mut own: HashMap<_, Vec<Signature>> = HashMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (arches, rest) = split_arches(line)?;
        if !arches.is_empty() && !arches.contains(&arch) {
            continue;
        }
        let (names, rest) = rest.split_once('(').ok_or_else(|| format!("not a call: {line}"))?;
        let signature = Signature::parse(rest, arch).map_err(|error| format!("{names}: {error}"))?;
        let table = if arches.is_empty() { &mut forms } else { &mut own };
        for name in names.split('|') {
            table.entry(name).or_default().push(signature.clone());
        }
    }
    forms.extend(own);
    Ok(forms)
}

/// The parts of a parameter as the table writes them.
struct Written {
    name: &'static str,
    named: bool,
    register: u8,
    ty: &'static str,
    guard: &'static str,
}

impl Signature {
    fn parse(text: &'static str, arch: Arch) -> Result<Self, String> {
        let (parameters, returns) = match text.rsplit_once(") = ") {
            Some((parameters, returns)) => {
                (parameters, Returns::parse(returns).ok_or(format!("= {returns}"))?)
            }
            None => (text.strip_suffix(')').ok_or("no )")?, Returns::parse("int").ok_or("int")?),
        };
        let mut next = 0;
        let mut written: Vec<Written> = Vec::new();
        for text in parameters.split(", ").filter(|text| !text.is_empty()) {
            let (name, rest) = text.split_once(": ").ok_or(text)?;
            let (ty, guard) = rest.split_once(' ').unwrap_or((rest, ""));
            let (name, at) = name.split_once('@').map_or((name, None), |(name, at)| (name, Some(at)));
            if let Some(at) = at {
                next = at.parse().map_err(|_| text)?;
            }
            let wide = ["loff", "uloff"].contains(&ty.split(':').next().unwrap_or(ty));
            let narrow_abi = matches!(arch, Arch::X86 | Arch::Arm);
            // 32-bit ARM puts such a pair into an even register and the next.
            if wide && arch == Arch::Arm {
                next += next % 2;
            }
            let (name, named) = name.strip_suffix('=').map_or((name, false), |name| (name, true));
            written.push(Written { name, named, register: next, ty, guard });
            next += if wide && narrow_abi || ["splitoff", "hilo"].contains(&ty) { 2 } else { 1 };
        }
        let parameters = written.iter().map(|parameter| parameter.read(&written, arch).ok_or(parameter.name));
        Ok(Self { parameters: parameters.collect::<Result<_, _>>()?, returns })
    }
}

impl Written {
    fn read(&self, all: &[Self], arch: Arch) -> Option<Parameter> {
        let ty = self.ty(all, arch)?;
        let (mut guard, mut condition) = (None, None);
        let words: Vec<_> = self.guard.split(' ').filter(|word| !word.is_empty()).collect();
        match &words[..] {
            [] => {}
            [kind @ ("is" | "has"), names] => {
                let Type::Number(number) = ty else { return None };
                guard = Some(Test::parse(kind, names, number, arch)?);
            }
            ["if", other, kind @ ("is" | "has"), names] => {
                let other = all.iter().find(|parameter| parameter.name == *other)?;
                let Type::Number(number) = other.ty(all, arch)? else { return None };
                condition = Some((other.register, number, Test::parse(kind, names, number, arch)?));
            }
            _ => return None,
        }
        let Self { name, named, register, .. } = *self;
        Some(Parameter { name, named, register, ty, guard, condition })
    }

    fn ty(&self, all: &[Self], arch: Arch) -> Option<Type> {
        let register =
            |name: &str| all.iter().find(|parameter| parameter.name == name).map(|found| found.register);
        if let Some((kind, inner)) = self.ty.strip_suffix(')').and_then(|ty| ty.split_once('(')) {
            let length = |name: &str| match name {
                "ret" => Some(Length::Returned),
                name => Some(Length::Register(register(name)?)),
            };
            let memory = |moment| {
                let (item, length) = item(inner, &register)?;
                Some(Type::Memory { item, length, moment })
            };
            return match kind {
                "buf" => Some(Type::Buffer { length: length(inner)?, out: false, binary: false }),
                "outbuf" => Some(Type::Buffer { length: length(inner)?, out: true, binary: false }),
                "outhexbuf" => Some(Type::Buffer { length: length(inner)?, out: true, binary: true }),
                "outpath" => Some(Type::Buffer { length: length(inner)?, out: true, binary: false }),
                "iov" => Some(Type::Vectors { count: register(inner)?, out: false }),
                "outiov" => Some(Type::Vectors { count: register(inner)?, out: true }),
                "sockaddr" => Some(Type::SocketAddress { length: register(inner)?, out: false }),
                "outsockaddr" => Some(Type::SocketAddress { length: register(inner)?, out: true }),
                "optval" => Some(Type::OptionValue { length: register(inner)?, out: false, text: false }),
                "outoptval" => Some(Type::OptionValue { length: register(inner)?, out: true, text: false }),
                "outoptbuf" => Some(Type::OptionValue { length: register(inner)?, out: true, text: true }),
                "fdset" => Some(Type::DescriptorSet { count: register(inner)? }),
                "in" => memory(Moment::In),
                "out" => memory(Moment::Out),
                "inout" => memory(Moment::InOut),
                "answer" => {
                    let (question, answer) = inner.split_once('|')?;
                    Some(Type::Answer { question: known(question)?, answer: known(answer)? })
                }
                "outintr" => Some(Type::Interrupted),
                _ => None,
            };
        }
        let wide = |form| Number { width: Width::Bits(64), form };
        Some(match self.ty {
            "path" => Type::Path,
            "str" => Type::Text,
            "outstr" => Type::WrittenPath,
            "argv" => Type::Arguments,
            "envp" => Type::Environment,
            "splitoff" if matches!(arch, Arch::X86 | Arch::Arm) => {
                Type::Pair { number: wide(Form::Signed), high_first: false }
            }
            "splitoff" => Type::Number(wide(Form::Signed)),
            "hilo" => Type::Pair { number: wide(Form::Signed), high_first: true },
            ty => {
                let (width, form) =
                    ty.split_once(':').map_or((ty, None), |(width, form)| (width, Some(form)));
                let plain = match width {
                    "loff" => Form::Signed,
                    "uloff" => Form::Unsigned,
                    _ => return Number::parse(ty).map(Type::Number),
                };
                let number = wide(form.map_or(plain, Form::Set));
                match arch {
                    Arch::X86 | Arch::Arm => Type::Pair { number, high_first: false },
                    _ => Type::Number(number),
                }
            }
        })
    }
}

/// An item that the tables have.
fn known(text: &'static str) -> Option<Item> {
    let item = Item::parse(text)?;
    item.layout(Arch::X86_64).map(|_| item)
}

/// Reads `ITEM`, `ITEM*N`, `ITEM*PARAMETER`, `ITEM*ret`, `ITEM@PARAMETER` and `ITEM@ret`.
fn item(text: &'static str, register: &dyn Fn(&str) -> Option<u8>) -> Option<(Item, Length)> {
    if let Some((item, length)) = text.split_once('@') {
        let length = if length == "ret" { Length::ReturnedBytes } else { Length::Bytes(register(length)?) };
        return Some((known(item)?, length));
    }
    match text.split_once('*') {
        None => Some((known(text)?, Length::One)),
        Some((item, "ret")) => Some((known(item)?, Length::Returned)),
        Some((item, count)) => {
            let length = match count.parse() {
                Ok(count) => Length::Fixed(count),
                Err(_) => Length::Register(register(count)?),
            };
            Some((known(item)?, length))
        }
    }
}

impl Test {
    fn parse(kind: &str, names: &'static str, number: Number, arch: Arch) -> Option<Self> {
        let set = number.set(arch)?;
        let constant = |name: &'static str| {
            let literal = || Constant::literal(name);
            set.constant(name).or_else(literal)
        };
        let any = names.split('/').map(constant).collect::<Option<_>>()?;
        Some(Self { has: kind == "has", any })
    }
}

impl Returns {
    fn parse(text: &'static str) -> Option<Self> {
        if let Some(set) = text.strip_prefix("flags(").and_then(|text| text.strip_suffix(')')) {
            return Some(Self::Flags(set));
        }
        if text == "ready" {
            return Some(Self::Ready);
        }
        if text == "selected" {
            return Some(Self::Selected);
        }
        Number::parse(text).map(Self::Number)
    }
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::Syscall;

    use super::*;

    #[test]
    fn every_line_of_the_tables_is_read_in_every_abi() {
        for arch in Arch::ALL {
            let table = parse(TEXT, arch).unwrap();
            for (name, forms) in table {
                if Syscall::from_name(arch, name).is_none() {
                    continue;
                }
                for parameter in forms.iter().flat_map(|form| &form.parameters) {
                    assert!(parameter.register < 6, "{arch} {name}: {}", parameter.name);
                }
                let last = forms.last().unwrap();
                let guarded = last.parameters.iter().any(|parameter| parameter.guard.is_some());
                assert!(!guarded, "{arch} {name}: no form for all other values");
            }
        }
    }

    /// The kernel's tables, by the `syscalls` crate: none is missing, and none is invented.
    #[test]
    fn every_call_of_every_abi_has_a_signature() {
        let mut names = std::collections::BTreeSet::new();
        let mut missing = std::collections::BTreeSet::new();
        for arch in Arch::ALL {
            for name in (0..0xf_0010).filter_map(|nr| Syscall::new(arch, nr).name()) {
                names.insert(name);
                if forms(arch, name).is_empty() {
                    missing.insert(name);
                }
            }
        }
        assert!(missing.is_empty(), "{missing:?}");
        let invented: Vec<_> =
            parse(TEXT, Arch::X86_64).unwrap().into_keys().filter(|name| !names.contains(name)).collect();
        assert!(invented.is_empty(), "{invented:?}");
    }

    #[test]
    fn offsets_of_64_bits_are_in_two_registers_of_a_32_bit_abi() {
        let registers = |arch, name: &str| -> Vec<u8> {
            forms(arch, name)[0].parameters.iter().map(|parameter| parameter.register).collect()
        };
        assert_eq!(registers(Arch::X86_64, "pread64"), [0, 1, 2, 3]);
        assert_eq!(registers(Arch::X86, "sync_file_range"), [0, 1, 3, 5]);
        assert_eq!(registers(Arch::Arm, "pread64"), [0, 1, 2, 4], "an even register");
        assert_eq!(registers(Arch::Arm, "ftruncate64"), [0, 2]);
        assert_eq!(registers(Arch::X86_64, "preadv2"), [0, 1, 2, 3, 5]);
        assert_eq!(registers(Arch::X86_64, "clone"), [1, 0, 2, 4, 3]);
        assert_eq!(registers(Arch::X86, "clone"), [1, 0, 2, 3, 4]);
    }

    #[test]
    fn the_form_depends_on_the_values() {
        let names = |call: &str, registers: [u64; 6]| -> Vec<&str> {
            let forms = forms(Arch::X86_64, call);
            let form = forms.iter().find(|form| form.admits(&registers, Arch::X86_64)).unwrap();
            let there =
                form.parameters.iter().filter(|parameter| parameter.is_there(&registers, Arch::X86_64));
            there.map(|parameter| parameter.name).collect()
        };
        assert_eq!(names("fcntl", [3, 1, 9, 0, 0, 0]), ["fd", "cmd"], "F_GETFD takes none");
        assert_eq!(names("fcntl", [3, 2, 1, 0, 0, 0]), ["fd", "cmd", "arg"]);
        assert_eq!(names("openat", [3, 0, 0, 0, 0, 0]), ["dirfd", "pathname", "flags"]);
        assert_eq!(names("openat", [3, 0, 0x40, 0, 0, 0]), ["dirfd", "pathname", "flags", "mode"]);
        assert_eq!(names("openat", [3, 0, 0x41_0002, 0, 0, 0]).len(), 4, "O_TMPFILE");
        assert_eq!(names("openat", [3, 0, 0x1_0000, 0, 0, 0]).len(), 3, "O_DIRECTORY is a bit of O_TMPFILE");
    }
}
