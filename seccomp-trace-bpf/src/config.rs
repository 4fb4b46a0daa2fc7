//! Decides from facts whether and how to trace. Pure: every answer can be tested without a kernel.

use crate::probe::{BtfFacts, Facts};

/// Why this machine, or this process on it, cannot trace: one sentence of fact, one of remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no BTF.
    #[error(
        "the kernel {kernel} offers no type information (/sys/kernel/btf/vmlinux is missing); \
         use a kernel built with CONFIG_DEBUG_INFO_BTF, or mount sysfs if it is not mounted"
    )]
    NoBtf {
        /// `uname -r`.
        kernel: String,
    },
    /// Capabilities are missing.
    #[error(
        "this process may not trace: it lacks {}; run it as root, or give the binary the capabilities: \
         setcap cap_bpf,cap_perfmon+ep seccomp-trace", missing.join(" and ")
    )]
    NoCapability {
        /// Their names.
        missing: Vec<&'static str>,
    },
    /// The process has capabilities, in a user namespace where they do not count.
    #[error(
        "this process is root only in its own user namespace, where tracing is not allowed; \
         run it as root of the host"
    )]
    UserNamespace,
    /// The kernel is locked down.
    #[error(
        "the kernel is locked down ({mode}), which forbids reading kernel memory; \
         boot without lockdown=confidentiality"
    )]
    Lockdown {
        /// The mode.
        mode: String,
    },
    /// The kernel is too old, or built without what is needed.
    #[error("the kernel {kernel} lacks {}; use Linux 5.13 or newer with CONFIG_BPF_SYSCALL, \
             CONFIG_BPF_EVENTS and CONFIG_SECCOMP_FILTER", missing.join(", "))]
    KernelLacks {
        /// `uname -r`.
        kernel: String,
        /// What is missing.
        missing: Vec<String>,
    },
    /// The kernel has no memory for task storage on this CPU.
    #[error(
        "this CPU cannot compare and swap two words at once (cmpxchg16b), without which the kernel {kernel} gives BPF \
         programs no task storage; use a CPU or a model of a virtual one that can, or boot with slab_debug=F, or use \
         Linux 6.18 or older"
    )]
    NoDoubleWordSwap {
        /// `uname -r`.
        kernel: String,
    },
    /// The limit on open files is too small.
    #[error("this process may not open enough files; raise the limit to at least 128: ulimit -n 128")]
    OpenFiles,
    /// `bpf(2)` does not exist for this process.
    #[error(
        "the bpf(2) system call is not available to this process; if it runs in a container, \
         allow bpf in the container's seccomp profile"
    )]
    NoBpf,
}

/// What the facts forbid, found without asking the kernel to load anything. `None`: try.
#[must_use]
pub fn refuse(facts: &Facts) -> Option<Refusal> {
    if facts.lockdown.as_deref() == Some("confidentiality") {
        return Some(Refusal::Lockdown { mode: "confidentiality".to_owned() });
    }
    let needed = [(facts.may_bpf(), "CAP_BPF"), (facts.may_trace(), "CAP_PERFMON")];
    let missing: Vec<_> = needed.into_iter().filter(|(has, _)| !has).map(|(_, name)| name).collect();
    if !missing.is_empty() {
        return Some(Refusal::NoCapability { missing });
    }
    if facts.initial_user_namespace == Some(false) {
        return Some(Refusal::UserNamespace);
    }
    if !facts.btf {
        return Some(Refusal::NoBtf { kernel: facts.kernel.clone() });
    }
    None
}

/// Explains why loading failed with `errno`, from what the kernel's BTF says. `None`: the facts do not tell.
#[must_use]
pub fn explain(facts: &Facts, btf: Option<&BtfFacts>, errno: Option<i32>) -> Option<Refusal> {
    if let Some(refusal) = refuse(facts) {
        return Some(refusal);
    }
    if matches!(errno, Some(nix::libc::EMFILE | nix::libc::ENFILE)) {
        return Some(Refusal::OpenFiles);
    }
    let kernel = facts.kernel.clone();
    match (btf, errno) {
        (_, Some(nix::libc::ENOSYS)) => Some(Refusal::NoBpf),
        // It is there; that there was no memory to read it is what the error itself says.
        (None, Some(nix::libc::ENOMEM)) => None,
        (None, _) => Some(Refusal::NoBtf { kernel }),
        (Some(btf), errno) => {
            let missing = lacking(btf);
            if !missing.is_empty() {
                return Some(Refusal::KernelLacks { kernel, missing });
            }
            (errno == Some(nix::libc::EPERM)).then_some(Refusal::NoBpf)
        }
    }
}

/// Explains why a process could not be given task storage, with `errno`, on a CPU that compares and swaps two words at once
/// or does not. `None`: the facts do not tell.
#[must_use]
pub fn explain_storage(facts: &Facts, double_word_swap: Option<bool>, errno: i32) -> Option<Refusal> {
    let refused = errno == nix::libc::ENOMEM && double_word_swap == Some(false);
    refused.then(|| Refusal::NoDoubleWordSwap { kernel: facts.kernel.clone() })
}

/// What this kernel lacks for tracing, as its BTF tells.
#[must_use]
pub fn lacking(btf: &BtfFacts) -> Vec<String> {
    let mut missing = Vec::new();
    if !btf.task_storage {
        missing.push("task storage for tracing programs (Linux 5.13)".to_owned());
    }
    if !btf.filter_count {
        missing.push("the count of seccomp filters (Linux 5.9, CONFIG_SECCOMP_FILTER)".to_owned());
    }
    missing.extend(btf.missing_tracepoints.iter().map(|name| format!("the tracepoint {name}")));
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            kernel: "6.1.0".to_owned(),
            btf: true,
            capabilities: Some(u64::MAX),
            lockdown: Some("none".to_owned()),
            initial_user_namespace: Some(true),
        }
    }

    fn btf() -> BtfFacts {
        BtfFacts {
            task_storage: true,
            filter_count: true,
            missing_tracepoints: Vec::new(),
            reliable_lookup: true,
        }
    }

    #[test]
    fn a_machine_that_has_everything_is_not_refused() {
        assert_eq!(refuse(&facts()), None);
        assert_eq!(explain(&facts(), Some(&btf()), None), None);
        assert_eq!(explain(&facts(), None, Some(nix::libc::ENOMEM)), None);
    }

    /// Each predictable failure states the fact and a remedy: the text up to the semicolon, and after it.
    #[test]
    fn every_refusal_names_its_cause_and_a_remedy() {
        let no_caps = Facts { capabilities: Some(1 << 38), ..facts() };
        let no_btf = Facts { btf: false, ..facts() };
        let locked = Facts { lockdown: Some("confidentiality".to_owned()), ..facts() };
        let rootless = Facts { initial_user_namespace: Some(false), ..facts() };
        let old = BtfFacts { task_storage: false, ..btf() };
        let bare = BtfFacts { missing_tracepoints: vec!["sys_enter"], ..btf() };
        let cases = [
            (refuse(&no_caps), "CAP_BPF", "setcap"),
            (refuse(&no_btf), "/sys/kernel/btf/vmlinux", "CONFIG_DEBUG_INFO_BTF"),
            (refuse(&locked), "locked down", "boot without"),
            (refuse(&rootless), "user namespace", "run it as root of the host"),
            (explain(&facts(), Some(&old), Some(22)), "task storage", "5.13"),
            (explain(&facts(), Some(&bare), Some(3)), "tracepoint sys_enter", "CONFIG_BPF_EVENTS"),
            (explain(&facts(), Some(&btf()), Some(nix::libc::ENOSYS)), "bpf(2)", "allow bpf"),
            (explain(&facts(), Some(&btf()), Some(nix::libc::EMFILE)), "open enough files", "ulimit -n"),
            (explain_storage(&facts(), Some(false), nix::libc::ENOMEM), "cmpxchg16b", "slab_debug=F"),
        ];
        for (refusal, fact, remedy) in cases {
            let text = refusal.expect("refused").to_string();
            let (stated, advised) = text.split_once("; ").expect("fact; remedy");
            assert!(stated.contains(fact), "{text}");
            assert!(advised.contains(remedy), "{text}");
        }
        assert!(!refuse(&no_caps).unwrap().to_string().contains("CAP_PERFMON"), "only what is missing");
    }

    /// Memory can be short on any machine, and storage be refused for other reasons.
    #[test]
    fn the_cpu_is_blamed_only_where_it_lacks_what_storage_needs() {
        for swap in [Some(true), None] {
            assert_eq!(explain_storage(&facts(), swap, nix::libc::ENOMEM), None, "{swap:?}");
        }
        assert_eq!(explain_storage(&facts(), Some(false), nix::libc::EPERM), None);
    }
}
