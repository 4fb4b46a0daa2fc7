//! Which call came with which kernel.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::KernelVersion;

static TABLE: LazyLock<BTreeMap<&str, KernelVersion>> = LazyLock::new(|| {
    let lines = include_str!("table.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.split_once(' '))
        .flat_map(|(version, names)| {
            let version = version.parse().expect("a test reads every line");
            names.split(' ').map(move |name| (name, version))
        })
        .collect()
});

/// The newest kernel that the table has calls of; what came later is not in it.
pub(crate) const NEWEST: KernelVersion = KernelVersion { major: 5, minor: 14 };

/// The oldest kernel that the GNU C library runs on (its 2.26 and later, `--enable-kernel`): it has no other way for the
/// calls of that kernel, so no fallback is lost where they fail with EPERM.
pub(crate) const EXPECTED: KernelVersion = KernelVersion { major: 3, minor: 2 };

/// The calls that a kernel has, by name, those of architectures that this project does not know among them.
pub(crate) fn calls_of(kernel: KernelVersion) -> impl Iterator<Item = &'static str> {
    TABLE.iter().filter(move |(_, first)| **first <= kernel).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, Syscall};

    use super::*;

    #[test]
    fn calls_are_known_from_the_kernel_on_that_brought_them() {
        let has = |major, minor, name| calls_of(KernelVersion { major, minor }).any(|call| call == name);
        assert!(has(1, 0, "read") && has(3, 2, "pipe2") && has(2, 2, "pread64"));
        assert!(!has(5, 2, "clone3") && has(5, 3, "clone3"));
        for new in ["getrandom", "statx", "faccessat2", "openat2", "clock_gettime64", "futex_time64"] {
            assert!(!has(3, 2, new), "{new}: a C library has an older way");
        }
        assert!(!has(5, 14, "create_module"), "it is gone, and fails with ENOSYS everywhere");
    }

    #[test]
    fn the_table_ends_where_it_says_and_misses_few_old_calls() {
        assert_eq!(TABLE.values().max(), Some(&NEWEST));
        // 64-bit ARM began with 3.7 and has no older numbers than its own table's; all of its first 242 are old names.
        let first = (0..242).filter_map(|nr| Syscall::new(Arch::Aarch64, nr).name());
        let missing: Vec<_> = first.filter(|name| !TABLE.contains_key(name)).collect();
        assert!(missing.iter().all(|name| *name == "nfsservctl"), "{missing:?}");
    }
}
