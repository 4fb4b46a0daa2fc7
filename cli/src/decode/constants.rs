//! The names of values, from `tables/constants.txt`.

use std::sync::LazyLock;

use seccomp_trace_core::Arch;

use super::by_abi::{ByAbi, split_arches};

/// A named value of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Constant {
    pub(crate) name: &'static str,
    pub(crate) value: u64,
    /// In a set of flags: the bits that this is one of several values of.
    mask: Option<u64>,
}

impl Constant {
    /// A number that has no name.
    pub(crate) fn literal(text: &'static str) -> Option<Self> {
        Some(Self { name: text, value: number(text)?, mask: None })
    }

    /// Whether all of its bits are set in `value`, and of those it is an alternative of no others.
    pub(crate) fn is_in(self, value: u64) -> bool {
        value & self.mask.unwrap_or(self.value) == self.value
    }
}

/// A set of named values.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) is_flags: bool,
    constants: Vec<Constant>,
    /// What stands for an unknown value, such as `AF_???`.
    unknown: String,
}

impl Set {
    /// The constant of this name.
    pub(crate) fn constant(&self, name: &str) -> Option<Constant> {
        self.constants.iter().copied().find(|constant| constant.name == name)
    }

    /// The name of a value that is one of the set's as it is.
    pub(crate) fn name(&self, value: u64) -> Option<&'static str> {
        self.constants.iter().find(|constant| constant.value == value).map(|constant| constant.name)
    }

    /// The value by its names: the name, or the flags joined by `|`. What has no name is in hexadecimal.
    pub(crate) fn show(&self, value: u64) -> String {
        if self.is_flags { self.flags(value) } else { self.one(value) }
    }

    fn one(&self, value: u64) -> String {
        self.name(value).map_or_else(|| format!("{value:#x} /* {} */", self.unknown), str::to_owned)
    }

    fn flags(&self, value: u64) -> String {
        let mut left = value;
        let mut text = String::new();
        for constant in &self.constants {
            let there = match constant {
                Constant { value: 0, mask, .. } => mask.is_some_and(|mask| value & mask == 0),
                Constant { value: bits, mask, .. } => left & mask.unwrap_or(*bits) == *bits,
            };
            if there {
                if !text.is_empty() {
                    text.push('|');
                }
                text.push_str(constant.name);
                left &= !constant.mask.unwrap_or(constant.value);
            }
        }
        match (text.is_empty(), left) {
            (true, 0) => "0".to_owned(),
            (true, _) => format!("{left:#x} /* {} */", self.unknown),
            (false, 0) => text,
            (false, _) => format!("{text}|{left:#x}"),
        }
    }
}

static SETS: LazyLock<ByAbi<Set>> =
    LazyLock::new(|| parse(include_str!("tables/constants.txt")).expect("a test reads every line"));

/// The set that an ABI has under this name.
pub(crate) fn set(name: &str, arch: Arch) -> Option<&'static Set> {
    SETS.get(name, arch)
}

/// The name of an errno.
pub(crate) fn errno(number: u64) -> Option<&'static str> {
    set("errno", Arch::X86_64)?.name(number)
}

fn parse(text: &'static str) -> Result<ByAbi<Set>, String> {
    let mut sets = ByAbi::default();
    for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.starts_with('#')) {
        let wrong = || format!("not a set: {paragraph}");
        let (head, body) = paragraph.split_once('\n').ok_or_else(wrong)?;
        let (arches, head) = split_arches(head)?;
        let mut words = head.split(' ');
        let (kind, name) = (words.next().ok_or_else(wrong)?, words.next().ok_or_else(wrong)?);
        let is_flags = match kind {
            "flags" => true,
            "enum" => false,
            _ => return Err(wrong()),
        };
        let constants: Vec<_> = body.split_whitespace().map(constant).collect::<Result<_, _>>()?;
        let unknown = format!("{}???", prefix(&constants));
        sets.insert(name, arches, Set { is_flags, constants, unknown });
    }
    Ok(sets)
}

fn constant(word: &'static str) -> Result<Constant, String> {
    let wrong = || format!("not NAME=VALUE or NAME=VALUE/MASK: {word}");
    let (name, value) = word.rsplit_once('=').ok_or_else(wrong)?;
    let (value, mask) = value.split_once('/').map_or((value, None), |(value, mask)| (value, Some(mask)));
    let value = number(value).ok_or_else(wrong)?;
    let mask = mask.map(|mask| number(mask).ok_or_else(wrong)).transpose()?;
    Ok(Constant { name, value, mask })
}

/// A number as the tables write it: hexadecimal with `0x`, else decimal.
pub(super) fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// What all names begin with, up to an underscore.
fn prefix(constants: &[Constant]) -> &'static str {
    let first = constants.first().map_or("", |constant| constant.name);
    let common = |end: &usize| constants.iter().all(|constant| constant.name.starts_with(&first[..*end]));
    let ends = first.rmatch_indices('_').map(|(at, _)| at + 1);
    ends.into_iter().find(common).map_or("", |end| &first[..end])
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fmt::Write;
    use std::process::Command;

    use super::*;

    fn show(set: &str, value: u64) -> String {
        super::set(set, Arch::X86_64).unwrap().show(value)
    }

    #[test]
    fn values_are_shown_as_strace_shows_them() {
        assert_eq!(show("open_flags", 0x80000), "O_RDONLY|O_CLOEXEC");
        assert_eq!(show("open_flags", 0x241), "O_WRONLY|O_CREAT|O_TRUNC");
        assert_eq!(show("open_flags", 0x41_0002), "O_RDWR|O_TMPFILE");
        assert_eq!(show("open_flags", 0x101000), "O_RDONLY|O_SYNC");
        assert_eq!(show("mmap_prot", 0), "PROT_NONE");
        assert_eq!(show("mmap_prot", 3), "PROT_READ|PROT_WRITE");
        assert_eq!(show("statx_mask", 0xfff), "STATX_ALL");
        assert_eq!(show("address_family", 99), "0x63 /* AF_??? */");
        assert_eq!(show("accept_flags", 0), "0");
        assert_eq!(show("accept_flags", 0x4000_0000), "0x40000000 /* SOCK_??? */");
        assert_eq!(show("accept_flags", 0x4008_0000), "SOCK_CLOEXEC|0x40000000");
        assert_eq!(show("epoll_op", 2), "EPOLL_CTL_DEL");
    }

    /// Bits that mean one thing on x86 mean another on ARM.
    #[test]
    fn an_abi_can_have_values_of_its_own() {
        let arm = |value| set("open_flags", Arch::Arm).unwrap().show(value);
        assert_eq!(arm(0x4000), "O_RDONLY|O_DIRECTORY");
        assert_eq!(show("open_flags", 0x4000), "O_RDONLY|O_DIRECT");
    }

    /// The values are the C headers': each set is compiled with those it names.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn every_constant_has_the_value_that_the_systems_headers_give_it() {
        let mut checked = 0;
        let text = include_str!("tables/constants.txt");
        let folder = tempfile::tempdir().unwrap();
        for (index, paragraph) in text.split("\n\n").enumerate() {
            let (head, body) = paragraph.split_once('\n').unwrap();
            let Some((_, headers)) = head.split_once('<') else { continue };
            if head.starts_with('[') || head.starts_with('#') {
                continue;
            }
            let mut source = String::from(
                "#define _GNU_SOURCE\n#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n#include <sys/types.h>\n",
            );
            for header in headers.trim_end_matches('>').split(' ') {
                writeln!(source, "#if __has_include(<{header}>)\n#include <{header}>\n#endif").unwrap();
            }
            source.push_str("int main(void) {\n");
            let mut values = HashMap::new();
            // What these headers do not define as a macro is an enumerator, or newer than they are: not asked.
            for constant in body.split_whitespace().map(|word| constant(word).unwrap()) {
                let name = constant.name;
                values.insert(name, constant.value);
                if !name.contains('|') && !name.starts_with('0') {
                    writeln!(
                        source,
                        "#ifdef {name}\nprintf(\"{name} %llu\\n\", (unsigned long long)({name}));\n#endif"
                    )
                    .unwrap();
                }
            }
            source.push_str("}\n");
            let (file, program) = (folder.path().join("t.c"), folder.path().join(format!("t{index}")));
            std::fs::write(&file, source).unwrap();
            let status = Command::new("cc").args(["-w", "-o"]).args([&program, &file]).status().unwrap();
            assert!(status.success(), "{head}");
            let output = Command::new(&program).output().unwrap();
            for line in String::from_utf8(output.stdout).unwrap().lines() {
                let (name, value) = line.split_once(' ').unwrap();
                let value: u64 = value.parse().unwrap();
                let ours = values[name];
                // Negative constants and those of 32 bits are kept as 32 bits.
                // The C library of a 64-bit ABI has no use for O_LARGEFILE; the kernel sets it in every descriptor.
                if name == "O_LARGEFILE" && value == 0 {
                    continue;
                }
                assert!(
                    ours == value || ours == value & 0xffff_ffff,
                    "{head}: {name} is {value:#x}, not {ours:#x}"
                );
                checked += 1;
            }
        }
        assert!(checked > 1000, "only {checked} constants were found in the headers");
    }
}
