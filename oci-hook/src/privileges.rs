//! Whether this process may trace containers: as root of the host, or with the capabilities that tracing needs.

use std::ffi::OsStr;

use seccomp_trace_bpf::probe::Facts;

/// Set by podman, buildah and their like for what they start in the user namespace of a rootless user.
pub(crate) const ROOTLESS: &str = "_CONTAINERS_USERNS_CONFIGURED";

/// Why it may not: the text that users of the hook know, the fact, and the remedy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "running the hook requires root privileges: {0}; run the container as root of the host \
     (sudo podman run …), or outside containers with CAP_BPF and CAP_PERFMON"
)]
pub(crate) struct Rootless(Reason);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Reason {
    #[error("this process is root only in a user namespace, as a rootless container engine's are")]
    Namespace,
    #[error("{ROOTLESS} is set, so the container engine is rootless")]
    Configured,
    #[error("this process lacks {}", .0.join(" and "))]
    Capabilities(Vec<&'static str>),
}

/// Decides from facts and from the value of [`ROOTLESS`] in the environment. What else a machine may lack is told
/// where the programs are loaded.
pub(crate) fn refuse(facts: &Facts, configured: Option<&OsStr>) -> Option<Rootless> {
    if facts.initial_user_namespace == Some(false) {
        return Some(Rootless(Reason::Namespace));
    }
    if configured.is_some_and(|value| !value.is_empty()) {
        return Some(Rootless(Reason::Configured));
    }
    let needed = [(facts.may_bpf(), "CAP_BPF"), (facts.may_trace(), "CAP_PERFMON")];
    let missing: Vec<_> = needed.into_iter().filter(|(has, _)| !has).map(|(_, name)| name).collect();
    (!missing.is_empty()).then_some(Rootless(Reason::Capabilities(missing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `CAP_SYS_ADMIN`, `CAP_PERFMON` and `CAP_BPF`, from `linux/capability.h`.
    const SYS_ADMIN: u64 = 1 << 21;
    const PERFMON: u64 = 1 << 38;
    const BPF: u64 = 1 << 39;

    fn facts(capabilities: Option<u64>, initial_user_namespace: Option<bool>) -> Facts {
        let mut facts = Facts::read();
        facts.capabilities = capabilities;
        facts.initial_user_namespace = initial_user_namespace;
        facts
    }

    fn text(capabilities: u64, initial: bool, configured: Option<&str>) -> Option<String> {
        let facts = facts(Some(capabilities), Some(initial));
        refuse(&facts, configured.map(OsStr::new)).map(|refusal| refusal.to_string())
    }

    #[test]
    fn root_and_whoever_has_the_two_capabilities_may_trace() {
        for capabilities in [u64::MAX, SYS_ADMIN, BPF | PERFMON] {
            assert_eq!(text(capabilities, true, None), None, "{capabilities:x}");
        }
        assert_eq!(text(BPF | PERFMON, true, Some("")), None);
    }

    /// Where `/proc` cannot be read, the kernel decides.
    #[test]
    fn what_is_not_known_is_no_reason() {
        assert_eq!(refuse(&facts(None, None), None), None);
    }

    /// The beginning is what users and their scripts know; fact and remedy follow it.
    #[test]
    fn a_rootless_engine_is_refused_in_the_known_words_with_fact_and_remedy() {
        for (refusal, fact) in [
            (text(u64::MAX, false, None), "user namespace"),
            (text(u64::MAX, true, Some("done")), "_CONTAINERS_USERNS_CONFIGURED"),
            (text(0, true, None), "lacks CAP_BPF and CAP_PERFMON"),
            (text(BPF, true, None), "lacks CAP_PERFMON"),
            (text(PERFMON, true, None), "lacks CAP_BPF"),
        ] {
            let refusal = refusal.expect("refused");
            let (stated, advised) = refusal.split_once("; ").expect("fact; remedy");
            assert!(stated.starts_with("running the hook requires root privileges: "), "{refusal}");
            assert!(stated.contains(fact), "{refusal}");
            assert!(advised.contains("sudo podman run"), "{refusal}");
        }
    }
}
