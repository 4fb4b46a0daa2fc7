//! Numbers: how wide they are in an ABI, and in which form they are shown.

use seccomp_trace_core::Arch;

use super::constants::{self, Set};
use super::value::Value;
use super::{Context, signals};

/// How many bits a number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    Bits(u8),
    /// As many as a register, an address or C's `long` of the ABI.
    Word,
}

impl Width {
    /// In bytes.
    pub(crate) fn size(self, arch: Arch) -> usize {
        match self {
            Self::Bits(bits) => usize::from(bits / 8),
            Self::Word => word(arch),
        }
    }
}

/// The size of a register in memory.
pub(crate) fn word(arch: Arch) -> usize {
    match arch {
        Arch::X86 | Arch::Arm => 4,
        _ => 8,
    }
}

/// In which form a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Signed,
    Unsigned,
    Hex,
    Octal,
    Address,
    /// An address of a signal handler, or one of the two that are none.
    Handler,
    Descriptor,
    /// A descriptor of a directory, or the working directory.
    Directory,
    /// Permissions.
    Mode,
    /// Type and permissions of a file.
    FileMode,
    Device,
    Signal,
    /// A set of signals 1 to 32 as bits.
    SignalSet,
    /// Flags of `clone` over the signal that the parent gets.
    CloneFlags,
    /// A user or group, or -1 for no change.
    Owner,
    Limit,
    Limit64,
    /// A negated errno, or 0.
    Errno,
    /// Hundredths of a second.
    Ticks,
    /// A port or protocol in network byte order.
    Network,
    /// A key of System V IPC.
    IpcKey,
    /// The value as the two members of `epoll_data` that are numbers.
    EpollData,
    /// What `FUTEX_WAKE_OP` does and compares.
    FutexOperation,
    /// Class and level of a priority of input and output.
    IoPriority,
    /// A request of ioctl(2).
    Request,
    /// Of this set of constants.
    Set(&'static str),
    /// Flags of this set over permissions.
    SetAndMode(&'static str),
}

/// A number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) width: Width,
    pub(crate) form: Form,
}

impl Number {
    /// What a call returns of which nothing is known.
    pub(crate) const LONG: Self = Self { width: Width::Word, form: Form::Signed };

    /// Reads `WIDTH`, `FORM` or `WIDTH:FORM`.
    pub(crate) fn parse(text: &'static str) -> Option<Self> {
        use Form::{Address, Hex, Owner, Signed, Unsigned};
        use Width::{Bits, Word};
        let (width, form) = text.split_once(':').map_or((text, None), |(width, form)| (width, Some(form)));
        let plain = match width {
            "u8" => (Bits(8), Unsigned),
            "u16" => (Bits(16), Unsigned),
            "s16" => (Bits(16), Signed),
            "u32" | "uint" => (Bits(32), Unsigned),
            "s32" | "int" | "pid" => (Bits(32), Signed),
            "u64" | "u64reg" => (Bits(64), Unsigned),
            "s64" => (Bits(64), Signed),
            "long" => (Word, Signed),
            "ulong" | "size" => (Word, Unsigned),
            "hex" | "hexzero" | "hexlong" => (Word, Hex),
            "hexint" => (Bits(32), Hex),
            "addr" => (Word, Address),
            "uid" | "gid" => (Bits(32), Owner),
            _ => (Bits(32), form_of(width)?),
        };
        let (width, form) = (plain.0, form.map_or(Some(plain.1), form_of)?);
        let width = if form == Form::CloneFlags { Word } else { width };
        Some(Self { width, form })
    }

    /// The set whose names conditions on it use.
    pub(crate) fn set(self, arch: Arch) -> Option<&'static Set> {
        let name = match self.form {
            Form::Set(name) | Form::SetAndMode(name) => name,
            Form::FileMode => "mode_type",
            Form::CloneFlags => "clone_flags",
            Form::Request => "ioctl",
            _ => return None,
        };
        constants::set(name, arch)
    }

    /// The bits of it that count.
    pub(crate) fn cut(self, raw: u64, arch: Arch) -> u64 {
        match self.width.size(arch) {
            8 => raw,
            size => raw & ((1 << (8 * size)) - 1),
        }
    }

    /// The number as a signed one.
    pub(crate) fn signed(self, raw: u64, arch: Arch) -> i64 {
        let unused = 64 - 8 * self.width.size(arch);
        (raw << unused).cast_signed() >> unused
    }

    /// Shows it.
    pub(crate) fn show(self, raw: u64, context: Context) -> Value {
        let arch = context.arch;
        let (bits, signed) = (self.cut(raw, arch), self.signed(raw, arch));
        match self.form {
            Form::Signed => Value::Signed(signed),
            Form::Unsigned => Value::Unsigned(bits),
            Form::Hex => Value::Hex(bits),
            Form::Octal => Value::word(if bits == 0 { "0".to_owned() } else { format!("0{bits:o}") }),
            Form::Address => Value::Address(bits),
            Form::Handler => match signed {
                0 => Value::word("SIG_DFL"),
                1 => Value::word("SIG_IGN"),
                -1 => Value::word("SIG_ERR"),
                _ => Value::Address(bits),
            },
            Form::Descriptor | Form::Directory => {
                let directory = self.form == Form::Directory;
                Value::Descriptor { number: signed, directory, target: None }
            }
            Form::Mode => Value::word(permissions(bits)),
            Form::FileMode => Value::word(file_mode(bits, arch)),
            Form::Device => Value::word(device(bits, self.width.size(arch))),
            Form::Signal => Value::word(signals::name(signed)),
            Form::SignalSet => Value::word(signals::set(bits & 0xffff_ffff)),
            Form::CloneFlags => Value::word(clone_flags(bits, arch)),
            Form::Owner if signed == -1 => Value::Signed(-1),
            Form::Owner => Value::Unsigned(bits),
            Form::Limit | Form::Limit64 => Value::word(self.limit(bits, arch)),
            Form::Errno => Value::word(match constants::errno(bits) {
                Some(name) => name.to_owned(),
                None => bits.to_string(),
            }),
            Form::Ticks if bits == 0 => Value::Unsigned(0),
            Form::Ticks => {
                let seconds = format!("{}.{:02} s", bits / 100, bits % 100);
                Value::Remark(Box::new(Value::Unsigned(bits)), seconds)
            }
            Form::Network => {
                Value::Converted("htons", Box::new(Value::Hex(u16::from_be(low16(bits)).into())))
            }
            Form::IpcKey if bits == 0 => Value::word("IPC_PRIVATE"),
            Form::IpcKey => Value::Hex(bits),
            Form::EpollData => Value::fields(vec![
                ("u32", Value::Unsigned(bits & 0xffff_ffff)),
                ("u64", Value::Unsigned(bits)),
            ]),
            Form::FutexOperation => Value::word(futex_operation(bits)),
            Form::IoPriority => {
                let class = constants::set("ioprio_class", arch).map(|set| set.show(bits >> 13));
                Value::word(format!("IOPRIO_PRIO_VALUE({}, {})", class.unwrap_or_default(), bits & 0x1fff))
            }
            Form::Request => Value::word(request(bits)),
            Form::Set(name) => match constants::set(name, arch) {
                Some(set) => Value::word(set.show(bits)),
                None => Value::Hex(bits),
            },
            Form::SetAndMode(name) => {
                let (flags, mode) = (bits & !0o777, permissions(bits & 0o777));
                let flags = constants::set(name, arch).filter(|_| flags != 0).map(|set| set.show(flags));
                Value::word(flags.map_or_else(|| mode.clone(), |flags| format!("{flags}|{mode}")))
            }
        }
    }

    fn limit(self, bits: u64, arch: Arch) -> String {
        let size = self.width.size(arch);
        if bits == u64::MAX >> (64 - 8 * size) {
            return if self.form == Form::Limit64 { "RLIM64_INFINITY" } else { "RLIM_INFINITY" }.to_owned();
        }
        if bits > 1024 && bits.is_multiple_of(1024) {
            format!("{}*1024", bits / 1024)
        } else {
            bits.to_string()
        }
    }
}

fn form_of(name: &'static str) -> Option<Form> {
    Some(match name {
        "hex" | "hexzero" => Form::Hex,
        "octal" => Form::Octal,
        "addr" => Form::Address,
        "handler" => Form::Handler,
        "fd" => Form::Descriptor,
        "dirfd" => Form::Directory,
        "mode" => Form::Mode,
        "filemode" => Form::FileMode,
        "dev" => Form::Device,
        "signal" => Form::Signal,
        "sigset32" => Form::SignalSet,
        "cloneflags" => Form::CloneFlags,
        "rlim" => Form::Limit,
        "rlim64" => Form::Limit64,
        "errno" => Form::Errno,
        "ioctl" => Form::Request,
        "ticks" => Form::Ticks,
        "htons" => Form::Network,
        "ipckey" => Form::IpcKey,
        "epoll_data" => Form::EpollData,
        "ioprio" => Form::IoPriority,
        "futex_wake_op" => Form::FutexOperation,
        name => {
            let (name, form): (_, fn(_) -> Form) = match name.strip_suffix("+mode") {
                Some(name) => (name, Form::SetAndMode),
                None => (name, Form::Set),
            };
            constants::set(name, Arch::X86_64)?;
            form(name)
        }
    })
}

fn low16(bits: u64) -> u16 {
    let [.., high, low] = bits.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// As strace shows them: an octal number of at least three digits.
fn permissions(bits: u64) -> String {
    let digits = format!("{bits:03o}");
    if digits.starts_with('0') { digits } else { format!("0{digits}") }
}

fn file_mode(bits: u64, arch: Arch) -> String {
    let kind = bits & 0o170_000;
    if kind == 0 {
        return permissions(bits);
    }
    let name = constants::set("mode_type", arch).and_then(|set| set.name(kind));
    let mut text = name.map_or_else(|| format!("0{kind:o}"), str::to_owned);
    for (bit, name) in [(0o4000, "S_ISUID"), (0o2000, "S_ISGID"), (0o1000, "S_ISVTX")] {
        if bits & bit != 0 {
            text.push('|');
            text.push_str(name);
        }
    }
    format!("{text}|{}", permissions(bits & 0o777))
}

/// The name of a request, or what its bits mean (`include/uapi/asm-generic/ioctl.h`).
fn request(bits: u64) -> String {
    if let Some(name) = constants::set("ioctl", Arch::X86_64).and_then(|set| set.name(bits)) {
        return name.to_owned();
    }
    let direction = ["_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE"];
    let direction = direction.into_iter().nth((bits >> 30 & 3) as usize).unwrap_or_default();
    let show = |part: u64| if part == 0 { "0".to_owned() } else { format!("{part:#x}") };
    let (kind, number, size) = (show(bits >> 8 & 0xff), show(bits & 0xff), show(bits >> 16 & 0x3fff));
    format!("_IOC({direction}, {kind}, {number}, {size})")
}

/// An operation, a comparison, and an argument of each (`FUTEX_OP` of `include/uapi/linux/futex.h`).
fn futex_operation(bits: u64) -> String {
    let named = |set, value, shift: u32| {
        let name = constants::set(set, Arch::X86_64).map(|set| set.show(value)).unwrap_or_default();
        match name.split_once(' ') {
            Some((number, remark)) => format!("{number}<<{shift} {remark}"),
            None => format!("{name}<<{shift}"),
        }
    };
    let number = |value: u64| if value == 0 { "0".to_owned() } else { format!("{value:#x}") };
    let shifted = if bits >> 31 & 1 == 1 { "FUTEX_OP_OPARG_SHIFT<<28|" } else { "" };
    let operation = named("futex_wake_operation", bits >> 28 & 7, 28);
    let comparison = named("futex_wake_comparison", bits >> 24 & 0xf, 24);
    let (argument, compared) = (number(bits >> 12 & 0xfff), number(bits & 0xfff));
    format!("{shifted}{operation}|{argument}<<12|{comparison}|{compared}")
}

/// The kernel's two encodings of a device number: 16 bits, and the wide one of stat and mknod
/// (`new_encode_dev`, `huge_encode_dev` in `include/linux/kdev_t.h`).
fn device(bits: u64, size: usize) -> String {
    let (major, minor) = if size == 2 {
        (bits >> 8, bits & 0xff)
    } else {
        ((bits >> 8) & 0xfff | (bits >> 32) & 0xffff_f000, bits & 0xff | (bits >> 12) & 0xffff_ff00)
    };
    let show = |part: u64| if part == 0 { "0".to_owned() } else { format!("{part:#x}") };
    format!("makedev({}, {})", show(major), show(minor))
}

fn clone_flags(bits: u64, arch: Arch) -> String {
    let (flags, signal) = (bits & !0xff, bits & 0xff);
    let shown = constants::set("clone_flags", arch).filter(|_| flags != 0).map(|set| set.show(flags));
    let signal = (signal != 0).then(|| signals::name(signal.cast_signed()));
    let parts: Vec<String> = shown.into_iter().chain(signal).collect();
    if parts.is_empty() { "0".to_owned() } else { parts.join("|") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text::{self, Hex};

    fn shown(ty: &'static str, raw: u64, arch: Arch) -> String {
        let mut out = String::new();
        let context = Context { arch, verbose: false };
        text::push(&mut out, &Number::parse(ty).unwrap().show(raw, context), Hex::None);
        out
    }

    #[test]
    fn numbers_are_as_wide_as_the_abi_has_them() {
        assert_eq!(shown("int", 0xffff_ffff, Arch::X86_64), "-1");
        assert_eq!(shown("long", u64::MAX, Arch::X86_64), "-1");
        assert_eq!(shown("long", 0xffff_ffff, Arch::X86_64), "4294967295");
        assert_eq!(shown("long", 0xffff_ffff, Arch::X86), "-1");
        assert_eq!(shown("size", 0xffff_ffff_0000_0001, Arch::Arm), "1");
    }

    /// Each was printed by strace 6.1.
    #[test]
    fn forms_are_those_of_strace() {
        for (ty, raw, expected) in [
            ("mode", 0o644, "0644"),
            ("mode", 0o22, "022"),
            ("mode", 0, "000"),
            ("filemode", 0o100_644, "S_IFREG|0644"),
            ("filemode", 0o41_777, "S_IFDIR|S_ISVTX|0777"),
            ("addr", 0, "NULL"),
            ("addr", 0x1000, "0x1000"),
            ("hex", 0, "0"),
            ("dirfd", 0xffff_ff9c, "AT_FDCWD"),
            ("fd", 0xffff_ff9c, "-100"),
            ("signal", 9, "SIGKILL"),
            ("cloneflags", 0x120_0011, "CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD"),
            ("u64:rlim64", u64::MAX, "RLIM64_INFINITY"),
            ("u64:rlim64", 8192 * 1024, "8192*1024"),
            ("u64:dev", 0x103, "makedev(0x1, 0x3)"),
            ("htons", 0x300, "htons(0x3)"),
            ("uid", 0xffff_ffff, "-1"),
            ("ioprio", 2 << 13 | 4, "IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4)"),
            ("ioprio", 0xffff_ffff, "IOPRIO_PRIO_VALUE(0x7ffff /* IOPRIO_CLASS_??? */, 8191)"),
            ("futex_wake_op", 0x1300_2004, "FUTEX_OP_ADD<<28|0x2<<12|FUTEX_OP_CMP_LE<<24|0x4"),
            ("futex_wake_op", 0, "FUTEX_OP_SET<<28|0<<12|FUTEX_OP_CMP_EQ<<24|0"),
            (
                "futex_wake_op",
                0xffff_ffff,
                "FUTEX_OP_OPARG_SHIFT<<28|0x7<<28 /* FUTEX_OP_??? */|0xfff<<12|0xf<<24 /* FUTEX_OP_CMP_??? */|0xfff",
            ),
            ("shmget_flags+mode", 0o1644, "IPC_CREAT|0644"),
            ("shmget_flags+mode", 0o600, "0600"),
            ("ipc_get_flags+mode", 0o7000, "IPC_CREAT|IPC_EXCL|IPC_NOWAIT|000"),
            ("ipc_get_flags+mode", 0, "000"),
            ("ioctl", 0x5401, "TCGETS"),
            ("ioctl", 0x1234_5678, "_IOC(_IOC_NONE, 0x56, 0x78, 0x1234)"),
        ] {
            assert_eq!(shown(ty, raw, Arch::X86_64), expected, "{ty} {raw:#x}");
        }
    }
}
