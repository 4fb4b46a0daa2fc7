//! Calls that widen the attack surface, each with a word of why.
//!
//! Sources: Docker's list of significant blocked syscalls (docs.docker.com, "Seccomp security profiles for Docker"), the
//! man pages (section 2), and the kernel's records of vulnerabilities of the interfaces named.

/// A call that gives an attacker more to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Danger {
    /// The call.
    pub name: &'static str,
    /// What it is a way to.
    pub kind: DangerKind,
    /// Why, in a few words.
    pub why: &'static str,
}

/// What a call is a way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DangerKind {
    /// Past the filter itself.
    Bypass,
    /// Out of the container's files.
    Escape,
    /// To devices.
    Hardware,
    /// Into kernel code with a history of bugs.
    Kernel,
    /// To kernel modules.
    Modules,
    /// To change what is mounted.
    Mounts,
    /// To other or new namespaces.
    Namespaces,
    /// To change the whole machine.
    Privilege,
    /// Into other processes.
    Processes,
}

impl Danger {
    /// Why a call widens the attack surface; `None` for one that does not do so more than others.
    #[must_use]
    pub fn of(name: &str) -> Option<&'static Self> {
        DANGERS.iter().find(|danger| danger.name == name)
    }
}

const fn danger(name: &'static str, kind: DangerKind, why: &'static str) -> Danger {
    Danger { name, kind, why }
}

/// The calls, by name.
pub const DANGERS: &[Danger] = &[
    danger("_sysctl", DangerKind::Kernel, "sets kernel parameters; removed in Linux 5.5"),
    danger("acct", DangerKind::Privilege, "writes process accounting to any file"),
    danger(
        "add_key",
        DangerKind::Kernel,
        "keyrings are shared between containers of one user, and have a history of kernel bugs",
    ),
    danger("adjtimex", DangerKind::Privilege, "tunes the machine's clock"),
    danger("bpf", DangerKind::Kernel, "loads programs into the kernel; verifier bugs give kernel memory"),
    danger("chroot", DangerKind::Escape, "with CAP_SYS_CHROOT and an open folder it leaves a chroot"),
    danger("clock_adjtime", DangerKind::Privilege, "tunes the machine's clock"),
    danger("clock_settime", DangerKind::Privilege, "sets the machine's clock"),
    danger(
        "clone",
        DangerKind::Namespaces,
        "may create namespaces (CLONE_NEW…), which opens kernel code that is otherwise for root; conditions on its flags can forbid it",
    ),
    danger(
        "clone3",
        DangerKind::Namespaces,
        "may create namespaces, and its flags are in memory, where no filter can look",
    ),
    danger("delete_module", DangerKind::Modules, "unloads kernel modules"),
    danger("fanotify_init", DangerKind::Escape, "watches files of the whole mount or file system"),
    danger("finit_module", DangerKind::Modules, "loads kernel modules"),
    danger(
        "fsconfig",
        DangerKind::Mounts,
        "part of the new mount interface; its parsers of mount options had exploitable bugs",
    ),
    danger("fsmount", DangerKind::Mounts, "part of the new mount interface"),
    danger(
        "fsopen",
        DangerKind::Mounts,
        "part of the new mount interface, and a way to reach file system code",
    ),
    danger("fspick", DangerKind::Mounts, "part of the new mount interface"),
    danger("init_module", DangerKind::Modules, "loads kernel modules"),
    danger(
        "io_uring_enter",
        DangerKind::Bypass,
        "io_uring carries out operations that no seccomp filter sees",
    ),
    danger(
        "io_uring_register",
        DangerKind::Bypass,
        "io_uring carries out operations that no seccomp filter sees",
    ),
    danger(
        "io_uring_setup",
        DangerKind::Bypass,
        "io_uring carries out operations that no seccomp filter sees, and has a history of kernel bugs",
    ),
    danger("ioperm", DangerKind::Hardware, "gives access to I/O ports"),
    danger("iopl", DangerKind::Hardware, "gives access to all I/O ports"),
    danger(
        "kcmp",
        DangerKind::Processes,
        "compares kernel objects of other processes, which reveals the order of kernel addresses",
    ),
    danger("kexec_file_load", DangerKind::Kernel, "replaces the running kernel"),
    danger("kexec_load", DangerKind::Kernel, "replaces the running kernel"),
    danger(
        "keyctl",
        DangerKind::Kernel,
        "keyrings are shared between containers of one user, and have a history of kernel bugs",
    ),
    danger("lookup_dcookie", DangerKind::Kernel, "reveals paths outside the container"),
    danger("mbind", DangerKind::Kernel, "NUMA policies of memory, with a history of kernel bugs"),
    danger("mknod", DangerKind::Hardware, "makes device files, where CAP_MKNOD is there"),
    danger("mknodat", DangerKind::Hardware, "makes device files, where CAP_MKNOD is there"),
    danger("modify_ldt", DangerKind::Kernel, "16-bit segments, a little-tested part of the kernel"),
    danger(
        "mount",
        DangerKind::Mounts,
        "mounts over what the container shall not see, or what it shall not change",
    ),
    danger("mount_setattr", DangerKind::Mounts, "takes read-only and nosuid off mounts"),
    danger("move_mount", DangerKind::Mounts, "part of the new mount interface"),
    danger("move_pages", DangerKind::Processes, "moves memory of other processes"),
    danger("name_to_handle_at", DangerKind::Escape, "makes the handles that open_by_handle_at opens"),
    danger("nfsservctl", DangerKind::Kernel, "an interface that no kernel since 3.1 has"),
    danger(
        "open_by_handle_at",
        DangerKind::Escape,
        "opens files by handle, past the mount namespace: a known way out of containers (shocker)",
    ),
    danger("open_tree", DangerKind::Mounts, "part of the new mount interface; copies mounts"),
    danger(
        "perf_event_open",
        DangerKind::Kernel,
        "a large interface to the processor's counters, with a history of kernel bugs, and a side channel",
    ),
    danger("personality", DangerKind::Kernel, "switches address randomisation off, among others"),
    danger("pidfd_getfd", DangerKind::Processes, "takes open files from other processes"),
    danger("pivot_root", DangerKind::Mounts, "changes the root of the mount namespace"),
    danger("process_madvise", DangerKind::Processes, "changes memory of other processes"),
    danger("process_vm_readv", DangerKind::Processes, "reads memory of other processes"),
    danger("process_vm_writev", DangerKind::Processes, "writes memory of other processes"),
    danger(
        "ptrace",
        DangerKind::Processes,
        "controls other processes; before Linux 4.8 it also goes past seccomp",
    ),
    danger("quotactl", DangerKind::Privilege, "changes quotas of file systems"),
    danger("quotactl_fd", DangerKind::Privilege, "changes quotas of file systems"),
    danger("reboot", DangerKind::Privilege, "restarts the machine, or ends the pid namespace"),
    danger(
        "request_key",
        DangerKind::Kernel,
        "keyrings are shared between containers of one user, and the kernel may start a helper outside the container",
    ),
    danger("setns", DangerKind::Namespaces, "enters namespaces of other processes"),
    danger("settimeofday", DangerKind::Privilege, "sets the machine's clock"),
    danger("stime", DangerKind::Privilege, "sets the machine's clock"),
    danger("swapoff", DangerKind::Privilege, "switches swap off for the whole machine"),
    danger("swapon", DangerKind::Privilege, "switches swap on for the whole machine"),
    danger("syslog", DangerKind::Kernel, "reads the kernel's log, which may hold addresses"),
    danger("umount", DangerKind::Mounts, "uncovers what a mount hides"),
    danger("umount2", DangerKind::Mounts, "uncovers what a mount hides"),
    danger(
        "unshare",
        DangerKind::Namespaces,
        "creates namespaces, which opens kernel code that is otherwise for root",
    ),
    danger("uselib", DangerKind::Kernel, "loads a library in a way that nothing uses any more"),
    danger(
        "userfaultfd",
        DangerKind::Kernel,
        "holds the kernel at a page fault for as long as one likes, which makes its races exploitable",
    ),
    danger("ustat", DangerKind::Kernel, "an old interface that nothing uses any more"),
    danger("vm86", DangerKind::Kernel, "16-bit mode on 32-bit x86, a little-tested part of the kernel"),
    danger("vm86old", DangerKind::Kernel, "16-bit mode on 32-bit x86, a little-tested part of the kernel"),
    danger("vmsplice", DangerKind::Kernel, "maps user memory into pipes, with a history of kernel bugs"),
];

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, Syscall};

    use super::*;

    #[test]
    fn every_name_is_a_call_and_there_once() {
        assert!(DANGERS.is_sorted_by(|a, b| a.name < b.name));
        for danger in DANGERS {
            let known = Arch::ALL.iter().any(|arch| Syscall::from_name(*arch, danger.name).is_some());
            assert!(known, "{}", danger.name);
        }
    }
}
