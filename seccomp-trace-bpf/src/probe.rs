//! Facts about this machine and this process that decide whether tracing is possible. Only facts: what they
//! mean is decided in `config`.

use std::fs;
use std::path::Path;

use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{Func, Struct, Typedef};

/// `CAP_SYS_PTRACE`, `CAP_SYS_ADMIN`, `CAP_PERFMON`, `CAP_BPF` (`include/uapi/linux/capability.h`).
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// What the kernel's BTF says. Reading it takes some milliseconds and megabytes, so it is read only to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BtfFacts {
    /// `task_struct.bpf_storage`: task storage for tracing programs (5.13).
    pub task_storage: bool,
    /// `seccomp.filter_count` (5.9).
    pub filter_count: bool,
    /// Tracepoints that the programs attach to and that this kernel does not have.
    pub missing_tracepoints: Vec<&'static str>,
    /// `bpf_task_storage_get_recur`: look-ups that cannot fail on a task that has storage (6.2).
    pub reliable_lookup: bool,
}

/// What can be read without any privilege and in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Facts {
    /// `uname -r`.
    pub kernel: String,
    /// Whether `/sys/kernel/btf/vmlinux` is there.
    pub btf: bool,
    /// Effective capabilities, as in `/proc/self/status`; `None` where that cannot be read.
    pub capabilities: Option<u64>,
    /// The active mode of `/sys/kernel/security/lockdown`, if that file is there.
    pub lockdown: Option<String>,
    /// Whether user ids here are those of the initial user namespace; `None` where that cannot be read.
    pub initial_user_namespace: Option<bool>,
}

/// `uname -r`; empty where that cannot be read.
pub(crate) fn release() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default()
}

impl Facts {
    /// Reads them from this machine.
    #[must_use]
    pub fn read() -> Self {
        let kernel = release();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").ok();
        let uid_map = fs::read_to_string("/proc/self/uid_map").ok();
        Self {
            kernel: kernel.trim().to_owned(),
            btf: Path::new(VMLINUX).exists(),
            capabilities: effective_capabilities(&status),
            lockdown: lockdown.as_deref().and_then(active_lockdown).map(str::to_owned),
            initial_user_namespace: uid_map.as_deref().map(is_full_map),
        }
    }

    /// Whether BPF programs and maps may be loaded.
    #[must_use]
    pub fn may_bpf(&self) -> bool {
        self.has(CAP_BPF)
    }

    /// Whether tracing programs may be attached.
    #[must_use]
    pub fn may_trace(&self) -> bool {
        self.has(CAP_PERFMON)
    }

    /// Whether anybody's processes may be traced.
    #[must_use]
    pub fn may_ptrace(&self) -> bool {
        self.capabilities.is_none_or(|set| set & (1 << CAP_SYS_PTRACE) != 0)
    }

    fn has(&self, capability: u32) -> bool {
        // Where the file cannot be read (no /proc), the kernel will decide.
        self.capabilities.is_none_or(|set| set & (1 << capability | 1 << CAP_SYS_ADMIN) != 0)
    }
}

/// The kernel's type information.
const VMLINUX: &str = "/sys/kernel/btf/vmlinux";

impl BtfFacts {
    /// Reads them from the kernel's BTF; `None` where that cannot be read.
    #[must_use]
    pub fn read() -> Option<Self> {
        let btf = Btf::from_vmlinux().ok()?;
        let has_member = |name: &str, member: &str| {
            btf.type_by_name::<Struct<'_>>(name)
                .is_some_and(|found| found.iter().any(|m| m.name.is_some_and(|n| n == member)))
        };
        let tracepoints =
            ["sys_enter", "task_newtask", "sched_process_exec", "sched_process_exit", "signal_generate"];
        Some(Self {
            task_storage: has_member("task_struct", "bpf_storage"),
            filter_count: has_member("seccomp", "filter_count"),
            missing_tracepoints: tracepoints
                .into_iter()
                .filter(|name| btf.type_by_name::<Typedef<'_>>(&format!("btf_trace_{name}")).is_none())
                .collect(),
            reliable_lookup: btf.type_by_name::<Func<'_>>("bpf_task_storage_get_recur").is_some(),
        })
    }
}

/// Whether the CPU compares and swaps two words at once, as the kernel sees it. `None` where that cannot be read, or where
/// the architecture always does.
///
/// Since 6.19 task storage comes from `kmalloc_nolock()` (commit f484f4a3e058, "bpf: Replace bpf memory allocator with
/// `kmalloc_nolock()` in local storage"), which gives nothing on a CPU that does not, but from caches that are debugged
/// (`mm/slub.c`).
#[must_use]
pub fn double_word_swap() -> Option<bool> {
    if !cfg!(target_arch = "x86_64") {
        return None;
    }
    has_cpu_flag(&fs::read_to_string("/proc/cpuinfo").ok()?, "cx16")
}

/// Whether the first CPU of a `/proc/cpuinfo` has the flag; `None` where it lists none.
fn has_cpu_flag(cpuinfo: &str, flag: &str) -> Option<bool> {
    let flags =
        cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == "flags"))?;
    Some(flags.split_whitespace().any(|known| known == flag))
}

/// The mask of the `CapEff:` line.
fn effective_capabilities(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// The mode in brackets: `none [integrity] confidentiality`.
fn active_lockdown(text: &str) -> Option<&str> {
    text.split_once('[')?.1.split_once(']').map(|(mode, _)| mode)
}

/// Whether a `uid_map` is the initial one: all ids, onto themselves.
fn is_full_map(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_the_kernel_are_understood() {
        assert_eq!(effective_capabilities("Name:\tx\nCapEff:\t000000c000000000\n"), Some(0xc0_0000_0000));
        assert_eq!(effective_capabilities("Name:\tx\n"), None);
        assert_eq!(active_lockdown("none integrity [confidentiality]\n"), Some("confidentiality"));
        assert_eq!(active_lockdown("garbage"), None);
        assert!(is_full_map("         0          0 4294967295\n"));
        let cpu = |flags| format!("processor\t: 0\nvmx flags\t: cx16\nflags\t\t: fpu cx8 {flags} sse2\n");
        assert_eq!(has_cpu_flag(&cpu("cx16"), "cx16"), Some(true));
        assert_eq!(has_cpu_flag(&cpu("cx160"), "cx16"), Some(false));
        assert_eq!(has_cpu_flag("processor\t: 0\n", "cx16"), None);
        assert!(!is_full_map("         0     100000      65536\n"));
    }

    #[test]
    fn each_capability_counts_for_itself_and_sys_admin_for_both() {
        let facts = |set| Facts {
            kernel: String::new(),
            btf: true,
            capabilities: Some(set),
            lockdown: None,
            initial_user_namespace: Some(true),
        };
        assert!(facts(1 << CAP_BPF).may_bpf() && !facts(1 << CAP_BPF).may_trace());
        assert!(facts(1 << CAP_PERFMON).may_trace() && !facts(1 << CAP_PERFMON).may_bpf());
        assert!(facts(1 << CAP_SYS_ADMIN).may_trace() && facts(1 << CAP_SYS_ADMIN).may_bpf());
        assert!(!facts(0).may_bpf());
    }
}
