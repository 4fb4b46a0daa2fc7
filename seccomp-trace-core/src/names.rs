//! Numbers to names and back, per ABI. The tables are those of the `syscalls` crate, which generates them
//! from the kernel's; only the two small private ranges that it leaves out, and two names that it has otherwise than
//! the C library and libseccomp, are written here.

use std::str::FromStr;

use crate::Arch;

/// First of x32's own numbers (`arch/x86/entry/syscalls/syscall_64.tbl`: 512 to 547; fixed for ever there).
const X32_FIRST: i32 = 512;

/// The names of x32's own numbers, in order from [`X32_FIRST`].
const X32: [&str; 36] = [
    "rt_sigaction",
    "rt_sigreturn",
    "ioctl",
    "readv",
    "writev",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "execve",
    "ptrace",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigqueueinfo",
    "sigaltstack",
    "timer_create",
    "mq_notify",
    "kexec_load",
    "waitid",
    "set_robust_list",
    "get_robust_list",
    "vmsplice",
    "move_pages",
    "preadv",
    "pwritev",
    "rt_tgsigqueueinfo",
    "recvmmsg",
    "sendmmsg",
    "process_vm_readv",
    "process_vm_writev",
    "setsockopt",
    "getsockopt",
    "io_setup",
    "io_submit",
    "execveat",
    "preadv2",
    "pwritev2",
];

/// First of 32-bit ARM's private numbers (`arch/arm/include/uapi/asm/unistd.h`, `__ARM_NR_BASE` + 1).
const ARM_PRIVATE_FIRST: i32 = 0xf_0001;

/// The names of 32-bit ARM's private numbers, in order from [`ARM_PRIVATE_FIRST`].
const ARM_PRIVATE: [&str; 6] = ["breakpoint", "cacheflush", "usr26", "usr32", "set_tls", "get_tls"];

/// Calls whose name in the tables is not the one that programs and libseccomp use: 64-bit ARM's has the source's
/// `__NR3264_fstatat` where 64-bit programs see `__NR_newfstatat` (`include/uapi/asm-generic/unistd.h`), and i386's
/// has `break`, a word of the Rust language, escaped.
const DIFFERENT: [(Arch, &str, &str); 2] =
    [(Arch::X86, "r#break", "break"), (Arch::Aarch64, "fstatat", "newfstatat")];

/// The name of `nr`, or `None` where this ABI's table has no such number.
pub(crate) fn name(arch: Arch, nr: i32) -> Option<&'static str> {
    let table = table_name(arch, nr)?;
    let different = DIFFERENT.iter().find(|(other, theirs, _)| (*other, *theirs) == (arch, table));
    Some(different.map_or(table, |(_, _, ours)| ours))
}

fn table_name(arch: Arch, nr: i32) -> Option<&'static str> {
    let id = usize::try_from(nr).ok()?;
    match arch {
        Arch::X86_64 => syscalls::x86_64::Sysno::new(id).map(|sysno| sysno.name()),
        Arch::X86 => syscalls::x86::Sysno::new(id).map(|sysno| sysno.name()),
        Arch::X32 => private(&X32, X32_FIRST, nr)
            .or_else(|| syscalls::x86_64::Sysno::new(id).map(|sysno| sysno.name()).filter(|n| !in_x32(n))),
        Arch::Aarch64 => syscalls::aarch64::Sysno::new(id).map(|sysno| sysno.name()),
        Arch::Arm => private(&ARM_PRIVATE, ARM_PRIVATE_FIRST, nr)
            .or_else(|| syscalls::arm::Sysno::new(id).map(|sysno| sysno.name())),
    }
}

/// The number of the call that is named so, or `None` where this ABI has no such call.
pub(crate) fn number(arch: Arch, text: &str) -> Option<i32> {
    let different = DIFFERENT.iter().find(|(other, _, ours)| (*other, *ours) == (arch, text));
    let number = table_number(arch, different.map_or(text, |(_, theirs, _)| theirs))?;
    Some(number).filter(|number| name(arch, *number) == Some(text))
}

fn table_number(arch: Arch, name: &str) -> Option<i32> {
    match arch {
        Arch::X86_64 => syscalls::x86_64::Sysno::from_str(name).ok().map(|sysno| sysno.id()),
        Arch::X86 => syscalls::x86::Sysno::from_str(name).ok().map(|sysno| sysno.id()),
        Arch::X32 => private_number(&X32, X32_FIRST, name)
            .or_else(|| syscalls::x86_64::Sysno::from_str(name).ok().map(|sysno| sysno.id())),
        Arch::Aarch64 => syscalls::aarch64::Sysno::from_str(name).ok().map(|sysno| sysno.id()),
        Arch::Arm => private_number(&ARM_PRIVATE, ARM_PRIVATE_FIRST, name)
            .or_else(|| syscalls::arm::Sysno::from_str(name).ok().map(|sysno| sysno.id())),
    }
}

fn in_x32(name: &str) -> bool {
    X32.contains(&name)
}

fn private(table: &[&'static str], first: i32, nr: i32) -> Option<&'static str> {
    usize::try_from(nr.checked_sub(first)?).ok().and_then(|index| table.get(index).copied())
}

fn private_number(table: &[&str], first: i32, name: &str) -> Option<i32> {
    let index = table.iter().position(|known| *known == name)?;
    i32::try_from(index).ok().map(|index| first + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_has_another_name_in_another_abi() {
        assert_eq!(name(Arch::X86_64, 20), Some("writev"));
        assert_eq!(name(Arch::X86, 20), Some("getpid"));
        assert_eq!(name(Arch::X32, 20), None, "x32's writev is 516");
        assert_eq!(name(Arch::X32, 516), Some("writev"));
        assert_eq!(name(Arch::X32, 547), Some("pwritev2"));
        assert_eq!(name(Arch::Arm, 0xf_0005), Some("set_tls"));
        assert_eq!(name(Arch::Aarch64, 79), Some("newfstatat"));
        assert_eq!(number(Arch::Aarch64, "fstatat"), None, "one call, one name");
        assert_eq!(number(Arch::X86, "break"), Some(17));
    }

    #[test]
    fn every_name_leads_back_to_its_number() {
        let mut found = 0;
        for arch in Arch::ALL {
            for nr in (-1..1024).chain(0xf_0000..0xf_0010) {
                if let Some(name) = name(arch, nr) {
                    assert_eq!(number(arch, name), Some(nr), "{arch} {name}");
                    found += 1;
                }
            }
        }
        assert!(found > 1500, "only {found} names");
    }

    #[test]
    fn numbers_outside_the_tables_have_no_name() {
        for arch in Arch::ALL {
            for nr in [i32::MIN, -1, 9999, i32::MAX] {
                assert_eq!(name(arch, nr), None, "{arch} {nr}");
            }
        }
    }
}
