//! Structures in the tracee's memory, from `tables/structs.txt`.

use std::sync::LazyLock;

use seccomp_trace_core::Arch;

use super::by_abi::{ByAbi, split_arches};
use super::constants::{self, Constant};
use super::number::{Number, word};
use super::value::{Fields, Value};
use super::{Context, signals, sockets};

/// What lies at a place in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    Number(Number),
    Struct(&'static str),
    /// Text of at most so many bytes.
    Chars(u16),
    /// A set of signals of 8 bytes.
    SignalSet,
    SignalInfo,
    WaitStatus,
    /// The time of a file in this structure, or what stands for one.
    FileTime(&'static str),
    /// A socket address in a structure: 16 bytes.
    SocketAddress,
    /// A hardware address of 6 bytes.
    HardwareAddress,
    /// A bit for each processor.
    Processors,
    /// Two `struct __user_cap_data_struct`.
    Capabilities,
}

impl Item {
    /// Reads a type; `None` where it is none.
    pub(crate) fn parse(text: &'static str) -> Option<Self> {
        Some(match text {
            "sigset" => Self::SignalSet,
            "siginfo" => Self::SignalInfo,
            "waitstatus" => Self::WaitStatus,
            "filetime" => Self::FileTime("timespec"),
            "filetime64" => Self::FileTime("timespec64"),
            "sockaddr" => Self::SocketAddress,
            "mac" => Self::HardwareAddress,
            "cpumask" => Self::Processors,
            "cap_data" => Self::Capabilities,
            _ => match text.strip_prefix("char*") {
                Some(count) => Self::Chars(count.parse().ok()?),
                None => Number::parse(text).map_or(Self::Struct(text), Self::Number),
            },
        })
    }

    /// Size and alignment in bytes; `None` of a structure that the table has not.
    pub(crate) fn layout(self, arch: Arch) -> Option<(usize, usize)> {
        Some(match self {
            Self::Number(number) => {
                let size = number.width.size(arch);
                // i386 aligns 64-bit numbers like words.
                (size, if arch == Arch::X86 { size.min(4) } else { size })
            }
            Self::Struct(name) | Self::FileTime(name) => {
                let layout = find(name, arch)?.layout(arch)?;
                (layout.size, layout.align)
            }
            Self::Chars(count) => (usize::from(count), 1),
            Self::SignalSet => (8, word(arch)),
            Self::SignalInfo => (128, word(arch)),
            Self::WaitStatus => (4, 4),
            Self::SocketAddress => (16, 4),
            Self::HardwareAddress => (6, 1),
            Self::Processors => (128, word(arch)),
            Self::Capabilities => (24, 4),
        })
    }

    /// Shows what `bytes` hold; `None` where they are too few.
    pub(crate) fn show(self, bytes: &[u8], context: Context) -> Option<Value> {
        Some(match self {
            Self::Number(number) => number.show(raw(bytes, number.width.size(context.arch))?, context),
            Self::Struct(name) => find(name, context.arch)?.show(bytes, context)?,
            Self::Chars(count) => Value::c_string(bytes.get(..usize::from(count))?),
            Self::SignalSet => Value::word(signals::set(raw(bytes, 8)?)),
            Self::SignalInfo => signals::info_in_memory(bytes, word(context.arch))?,
            Self::WaitStatus => {
                let status = i32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
                Value::list(vec![Value::word(format!("{{{}}}", signals::wait_status(status)))])
            }
            Self::FileTime(name) => {
                // Seconds, and in the other half the nanoseconds.
                let half = self.layout(context.arch)?.0 / 2;
                let special =
                    constants::set("utime_nsec", context.arch)?.name(raw(bytes.get(half..)?, half)?);
                special
                    .map_or_else(|| Self::Struct(name).show(bytes, context), |name| Some(Value::word(name)))?
            }
            Self::SocketAddress => sockets::address(bytes.get(..16)?)?,
            Self::HardwareAddress => {
                let parts: Vec<String> = bytes.get(..6)?.iter().map(|byte| format!("{byte:02x}")).collect();
                Value::word(parts.join(":"))
            }
            Self::Processors => Value::word(processors(bytes)),
            Self::Capabilities => capabilities(bytes)?,
        })
    }
}

/// A number in the byte order of all ABIs that this program knows, which is the machine's.
pub(crate) fn raw(bytes: &[u8], size: usize) -> Option<u64> {
    let mut buffer = [0; 8];
    buffer[..size].copy_from_slice(bytes.get(..size)?);
    Some(u64::from_le_bytes(buffer))
}

/// Says that there is more of it, unless all of it was read.
pub(crate) fn finished(value: Value, whole: bool) -> Value {
    match value {
        value if whole => value,
        Value::Fields(fields) => Value::Fields(Fields { more: true, ..fields }),
        Value::List { elements, .. } => Value::List { elements, more: true },
        // A set of numbers.
        Value::Word(word) => match word.strip_suffix(']') {
            Some("[") => Value::word("[...]"),
            Some(numbers) => Value::word(format!("{numbers} ...]")),
            None => Value::Word(word),
        },
        value => value,
    }
}

fn processors(bytes: &[u8]) -> String {
    let set = |at: &usize| bytes[at / 8] >> (at % 8) & 1 == 1;
    let numbers: Vec<String> = (0..bytes.len() * 8).filter(set).map(|at| at.to_string()).collect();
    format!("[{}]", numbers.join(" "))
}

/// The low halves of the three sets come before the high ones.
fn capabilities(bytes: &[u8]) -> Option<Value> {
    let part = |index: usize| raw(bytes.get(index * 4..)?, 4);
    let shown = |index: usize| {
        // The first version has no second half.
        let bits = part(index)? | part(index + 3).unwrap_or(0) << 32;
        let name = |bit: u64| {
            let known = constants::set("capability", Arch::X86_64).and_then(|set| set.name(bit));
            known.map_or_else(|| format!("1<<{bit}"), |name| format!("1<<{name}"))
        };
        let names: Vec<String> = (0..64).filter(|bit| bits >> bit & 1 == 1).map(name).collect();
        Some(Value::word(if names.is_empty() { "0".to_owned() } else { names.join("|") }))
    };
    Some(Value::fields(vec![("effective", shown(0)?), ("permitted", shown(1)?), ("inheritable", shown(2)?)]))
}

/// When a field is shown.
#[derive(Debug, Clone)]
struct Condition {
    field: &'static str,
    /// Whether it is shown where the test holds, or where it does not.
    wanted: bool,
    /// Empty: where the field is not 0.
    any: Vec<Constant>,
}

#[derive(Debug, Clone)]
struct Field {
    name: &'static str,
    item: Item,
    /// How many there are; an array only where this is given.
    count: Option<usize>,
    condition: Option<Condition>,
}

/// A structure.
#[derive(Debug)]
struct Struct {
    packed: bool,
    fields: Vec<Field>,
    /// What is shown in which order; empty: all.
    shown: Vec<&'static str>,
    more: bool,
}

struct Layout {
    size: usize,
    align: usize,
    offsets: Vec<usize>,
}

impl Struct {
    fn layout(&self, arch: Arch) -> Option<Layout> {
        let (mut at, mut most) = (0usize, 1);
        let mut offsets = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            let (size, align) = field.item.layout(arch)?;
            let align = if self.packed { 1 } else { align };
            at = at.next_multiple_of(align);
            offsets.push(at);
            at += size * field.count.unwrap_or(1);
            most = most.max(align);
        }
        Some(Layout { size: at.next_multiple_of(most), align: most, offsets })
    }

    /// Shows as many fields as there are bytes for; `None` where there are not enough for one.
    fn show(&self, bytes: &[u8], context: Context) -> Option<Value> {
        let arch = context.arch;
        let layout = self.layout(arch)?;
        let mut order: Vec<usize> = Vec::new();
        let index = |name: &str| self.fields.iter().position(|field| field.name == name);
        order.extend(self.shown.iter().filter_map(|name| index(name)));
        if self.shown.is_empty() || context.verbose {
            let rest = (0..self.fields.len()).filter(|index| !self.shown.contains(&self.fields[*index].name));
            order.extend(rest.filter(|index| !self.fields[*index].name.starts_with('_')).collect::<Vec<_>>());
        }
        let mut fields = Vec::with_capacity(order.len());
        let mut short = false;
        for index in order {
            let field = &self.fields[index];
            if let Some(condition) = &field.condition {
                let Some(holds) = self.holds(condition, bytes, &layout, arch) else { continue };
                if holds != condition.wanted {
                    continue;
                }
            }
            let Some(value) = bytes.get(layout.offsets[index]..).and_then(|bytes| field.show(bytes, context))
            else {
                short = true;
                continue;
            };
            fields.push((field.name, value));
        }
        if fields.is_empty() && short {
            return None;
        }
        Some(Value::Fields(Fields { fields, more: self.more && !context.verbose }))
    }

    fn holds(&self, condition: &Condition, bytes: &[u8], layout: &Layout, arch: Arch) -> Option<bool> {
        let index = self.fields.iter().position(|field| field.name == condition.field)?;
        let Item::Number(number) = self.fields[index].item else { return None };
        let value = raw(bytes.get(layout.offsets[index]..)?, number.width.size(arch))?;
        Some(match &condition.any[..] {
            [] => value != 0,
            any => any.iter().any(|constant| constant.is_in(value)),
        })
    }
}

impl Field {
    fn show(&self, bytes: &[u8], context: Context) -> Option<Value> {
        let Some(count) = self.count else { return self.item.show(bytes, context) };
        let (size, _) = self.item.layout(context.arch)?;
        let elements = (0..count).map(|index| self.item.show(bytes.get(index * size..)?, context));
        Some(Value::list(elements.collect::<Option<_>>()?))
    }
}

static STRUCTS: LazyLock<ByAbi<Struct>> =
    LazyLock::new(|| parse(include_str!("tables/structs.txt")).expect("a test reads every line"));

fn find(name: &str, arch: Arch) -> Option<&'static Struct> {
    STRUCTS.get(name, arch)
}

fn parse(text: &'static str) -> Result<ByAbi<Struct>, String> {
    let mut structs = ByAbi::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let wrong = || format!("not a structure: {line}");
        let (arches, rest) = split_arches(line)?;
        let (head, rest) = rest.split_once(" { ").ok_or_else(wrong)?;
        let (body, show) = rest.split_once(" }").ok_or_else(wrong)?;
        let (name, packed) = head.strip_suffix(" packed").map_or((head, false), |name| (name, true));
        let mut fields: Vec<Field> = Vec::new();
        for text in body.split(", ") {
            let field = Field::parse(text, &fields).ok_or_else(|| format!("{name}: not a field: {text}"))?;
            fields.push(field);
        }
        let mut shown: Vec<_> = show.strip_prefix(" show ").unwrap_or_default().split_whitespace().collect();
        let more = shown.last() == Some(&"...");
        if more {
            shown.pop();
        }
        if let Some(unknown) = shown.iter().find(|name| !fields.iter().any(|field| field.name == **name)) {
            return Err(format!("{name} has no field {unknown}"));
        }
        structs.insert(name, arches, Struct { packed, fields, shown, more });
    }
    Ok(structs)
}

impl Field {
    fn parse(text: &'static str, before: &[Self]) -> Option<Self> {
        let (name, rest) = text.split_once(": ")?;
        let mut words = rest.split(' ');
        let ty = words.next()?;
        let (item, count) = match ty.rsplit_once('*') {
            Some((item, count)) if item != "char" => (Item::parse(item)?, Some(count.parse().ok()?)),
            _ => (Item::parse(ty)?, None),
        };
        let words: Vec<_> = words.collect();
        let condition = match &words[..] {
            [] => None,
            ["if", field, "nonzero"] => Some(Condition { field, wanted: true, any: Vec::new() }),
            [kind @ ("if" | "unless"), field, "has", names] => {
                let set = before.iter().find(|before| before.name == *field).and_then(|field| match field
                    .item
                {
                    Item::Number(number) => number.set(Arch::X86_64),
                    _ => None,
                })?;
                let any = names.split('/').map(|name| set.constant(name)).collect::<Option<_>>()?;
                Some(Condition { field, wanted: *kind == "if", any })
            }
            _ => return None,
        };
        Some(Self { name, item, count, condition })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::{self, Hex};

    fn size(name: &str, arch: Arch) -> usize {
        find(name, arch).unwrap().layout(arch).unwrap().size
    }

    /// Of the C library, whose structures these are also in the kernel's ABI.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn structures_are_as_large_as_the_c_librarys() {
        use nix::libc;
        for (name, expected) in [
            ("stat", size_of::<libc::stat>()),
            ("statfs", size_of::<libc::statfs>()),
            ("timespec", size_of::<libc::timespec>()),
            ("itimerspec", size_of::<libc::itimerspec>()),
            ("rusage", size_of::<libc::rusage>()),
            ("utsname", size_of::<libc::utsname>()),
            ("flock", size_of::<libc::flock>()),
            ("epoll_event", size_of::<libc::epoll_event>()),
            ("pollfd", size_of::<libc::pollfd>()),
            ("msghdr", size_of::<libc::msghdr>()),
            ("sysinfo", size_of::<libc::sysinfo>()),
            ("stack_t", size_of::<libc::stack_t>()),
            ("clone_args", size_of::<libc::clone_args>()),
            ("open_how", size_of::<libc::open_how>()),
            ("sock_fprog", size_of::<libc::sock_fprog>()),
            ("sembuf", size_of::<libc::sembuf>()),
        ] {
            assert_eq!(size(name, Arch::X86_64), expected, "{name}");
        }
    }

    /// Offsets of `struct stat64` as arch/x86/include/uapi/asm/stat.h says (96 bytes), and ARM aligns (104).
    #[test]
    fn the_abi_decides_how_fields_lie() {
        assert_eq!(size("stat64", Arch::X86), 96);
        assert_eq!(size("stat64", Arch::Arm), 104);
        assert_eq!(size("stat", Arch::Aarch64), 128);
        assert_eq!(size("stat", Arch::X86), 64);
        assert_eq!(size("epoll_event", Arch::X86), 12);
        assert_eq!(size("epoll_event", Arch::Aarch64), 16);
        assert_eq!(size("statfs64", Arch::X86), 84);
    }

    fn shown(name: &'static str, bytes: &[u8], verbose: bool) -> Option<String> {
        let context = Context { arch: Arch::X86_64, verbose };
        let mut out = String::new();
        text::push(&mut out, &Item::Struct(name).show(bytes, context)?, Hex::None);
        Some(out)
    }

    #[test]
    fn fields_are_shown_under_their_conditions() {
        let mut stat = vec![0; 144];
        stat[24..28].copy_from_slice(&0o100_644u32.to_le_bytes());
        stat[48] = 7;
        assert_eq!(shown("stat", &stat, false).unwrap(), "{st_mode=S_IFREG|0644, st_size=7, ...}");
        stat[24..28].copy_from_slice(&0o20_666u32.to_le_bytes());
        stat[40..42].copy_from_slice(&[3, 1]);
        assert_eq!(
            shown("stat", &stat, false).unwrap(),
            "{st_mode=S_IFCHR|0666, st_rdev=makedev(0x1, 0x3), ...}"
        );
        let full = shown("stat", &stat, true).unwrap();
        assert!(full.contains("st_blksize=0") && !full.contains("...") && !full.contains("_pad"), "{full}");
    }

    #[test]
    fn a_structure_that_is_cut_short_is_shown_as_far_as_it_goes() {
        assert_eq!(shown("timespec", &[1, 0, 0, 0, 0, 0, 0, 0], false).unwrap(), "{tv_sec=1}");
        assert_eq!(shown("timespec", &[1, 0], false), None);
        assert_eq!(
            shown("clone_args", &[0; 64], false).unwrap(),
            "{flags=0, exit_signal=0, stack=NULL, stack_size=0}"
        );
    }
}
