//! The system calls of a tracer whose target is armed, as a profile that this project's own tools made.

use seccomp_trace_core::Arch;

use super::Needs;
use crate::check::install as install_resolved;
use crate::{ArchToken, Environment, NoNewPrivs, Profile, ProfileError, Resolved};

/// `base.json` says what is allowed with which arguments, and what other machines, kernels and C libraries call instead
/// of what was recorded. This file is made of it and of recordings of this project's own programs:
/// `tests/tests/own_filter.rs` checks it, and makes it anew.
const TRACER: &str = include_str!("tracer.json");
/// What the system log takes besides.
const LOG: &str = include_str!("log.json");
/// What finishing the containers of a hook takes besides.
const SHARED: &str = include_str!("shared.json");

/// What the filter is made of that [`confine`](super::confine()) installs for whoever has these needs.
///
/// # Errors
/// Those of [`Profile::from_json`], were the file of this crate not as its tests found it.
pub fn profile(needs: Needs) -> Result<Profile, ProfileError> {
    let mut profile = Profile::from_json(TRACER)?;
    for (needed, more) in [(needs.log, LOG), (needs.shared, SHARED)] {
        if needed {
            let more = Profile::from_json(more)?;
            profile.syscalls.get_or_default().extend(more.rules().iter().cloned());
        }
    }
    Ok(profile)
}

/// The profile for a machine. A tracer makes no call of another ABI, so such a call is no mistake, and the kernel kills
/// for it; and where the recordings were made does not matter.
fn resolved(profile: &Profile, native: Arch) -> Result<Resolved<'_>, ProfileError> {
    let mut resolved = Resolved::new(profile, &Environment::default(), native)?;
    resolved.architectures = vec![ArchToken::from(native)];
    Ok(resolved)
}

/// Installs it for the calling thread and those that it will start.
pub(super) fn install(needs: Needs) -> Result<(), ProfileError> {
    let native = Arch::native().ok_or(ProfileError::UnknownNativeArch)?;
    install_resolved(&resolved(&profile(needs)?, native)?, NoNewPrivs::Set, true)
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::Syscall;

    use super::*;
    use crate::{Filter, Verdict};

    const ENOSYS: Verdict = Verdict::Errno(38);

    /// The filter of a machine, for whoever has these needs.
    fn filter(needs: Needs, arch: Arch) -> Filter {
        Filter::new(&resolved(&profile(needs).unwrap(), arch).unwrap()).unwrap()
    }

    /// The filter of each machine, for whoever needs least.
    fn filters() -> [(Arch, Filter); 2] {
        [Arch::X86_64, Arch::Aarch64].map(|arch| (arch, filter(Needs::default(), arch)))
    }

    /// Where the recordings were made does not matter, and calls that look alike are told apart by their arguments.
    #[test]
    fn each_machine_allows_what_a_tracer_does_and_nothing_that_only_looks_like_it() {
        const CLONE_THREAD: u64 = 0x10000;
        let filters = filters();
        let is = |name, first, second, third, verdict| {
            let args = [first, second, third, 0, 0, 0];
            // Not every machine has every call.
            let one = |(arch, filter): &(Arch, Filter)| {
                Some(filter.verdict(Syscall::from_name(*arch, name)?, args))
            };
            let verdicts: Vec<_> = filters.iter().filter_map(one).collect();
            assert!(!verdicts.is_empty(), "{name}");
            assert!(verdicts.iter().all(|found| *found == verdict), "{name} {first} {second} {third}");
        };
        for command in [1, 2, 3, 4, 15, 33] {
            is("bpf", command, 0, 0, Verdict::Allow);
        }
        for command in [0, 5, 6, 7, 8, 10, 13, 14, 17, 18, 19, 20, 28, 30, 1 << 32 | 1] {
            is("bpf", command, 0, 0, ENOSYS);
        }
        is("clone", CLONE_THREAD | 0x100, 0, 0, Verdict::Allow);
        is("clone", 17, 0, 0, ENOSYS);
        is("ioctl", 2, 0x5413, 0, Verdict::Allow);
        is("ioctl", 2, 0x5412, 0, ENOSYS);
        for call in ["mmap", "mprotect"] {
            is(call, 0, 4096, 3, Verdict::Allow);
            is(call, 0, 4096, 5, ENOSYS);
        }
        is("prctl", 15, 0, 0, Verdict::Allow);
        is("prctl", 4, 1, 0, ENOSYS);
        is("prlimit64", 0, 4, 1, Verdict::Allow);
        is("prlimit64", 0, 7, 1, ENOSYS);
        is("prlimit64", 1, 4, 1, ENOSYS);
    }

    /// Whatever the arguments.
    #[test]
    fn what_reaches_beyond_a_tracer_is_denied_on_each_machine() {
        let filters = filters();
        for name in [
            "execve",
            "execveat",
            "fork",
            "vfork",
            "clone3",
            "ptrace",
            "process_vm_readv",
            "process_vm_writev",
            "pidfd_getfd",
            "kcmp",
            "mount",
            "umount2",
            "move_mount",
            "fsopen",
            "fsmount",
            "open_tree",
            "pivot_root",
            "chroot",
            "setns",
            "unshare",
            "open_by_handle_at",
            "kexec_load",
            "kexec_file_load",
            "init_module",
            "finit_module",
            "delete_module",
            "socket",
            "socketpair",
            "connect",
            "bind",
            "sendto",
            "sendmsg",
            "keyctl",
            "add_key",
            "mknodat",
            "linkat",
            "symlinkat",
            "mkdirat",
            "setuid",
            "setresuid",
            "setgroups",
            "capset",
            "personality",
            "io_uring_setup",
            "perf_event_open",
            "userfaultfd",
            "reboot",
            "swapon",
            "sethostname",
            "settimeofday",
            "clock_settime",
            "syslog",
            "quotactl",
            "acct",
            "setpriority",
            "fchmodat",
            "fchownat",
            "setxattr",
            "utimensat",
            "truncate",
        ] {
            for (arch, filter) in &filters {
                let Some(call) = Syscall::from_name(*arch, name) else { continue };
                assert_eq!(filter.constant_verdict(call), Some(ENOSYS), "{name} on {arch}");
            }
        }
    }

    /// A tracer makes none, by mistake neither.
    #[test]
    fn calls_of_another_abi_are_deadly() {
        let filter = filter(Needs::default(), Arch::X86_64);
        let read = |arch| Syscall::from_name(arch, "read").unwrap();
        assert_eq!(filter.verdict(read(Arch::X86_64), [0; 6]), Verdict::Allow);
        for arch in [Arch::X86, Arch::X32, Arch::Aarch64] {
            assert!(!filter.verdict(read(arch), [0; 6]).executes(), "{arch}");
        }
    }

    /// Who has more to do may do that and no more.
    #[test]
    fn more_needs_allow_more_calls_and_no_others() {
        let verdict = |needs, name, first| {
            filter(needs, Arch::X86_64)
                .verdict(Syscall::from_name(Arch::X86_64, name).unwrap(), [first, 0, 0, 0, 0, 0])
        };
        let none = Needs::default();
        let (log, shared) = (Needs { log: true, ..none }, Needs { shared: true, ..none });
        for (needs, name, first) in
            [(log, "socket", 1), (log, "sendto", 0), (shared, "bpf", 7), (shared, "umount2", 0)]
        {
            assert_eq!(verdict(needs, name, first), Verdict::Allow, "{name}");
            assert_eq!(verdict(none, name, first), ENOSYS, "{name}");
        }
        for (needs, name, first) in
            [(log, "socket", 2), (log, "socket", 16), (shared, "bpf", 5), (shared, "mount", 0)]
        {
            assert_eq!(verdict(needs, name, first), ENOSYS, "{name} {first}");
        }
    }
}
