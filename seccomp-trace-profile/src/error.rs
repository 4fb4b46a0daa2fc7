//! The one error type of this crate.

/// Why a profile could not be read, generated, compiled or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The text is not JSON, not a profile, or a profile that no engine accepts.
    #[error("not a seccomp profile: at {path}")]
    Parse {
        /// Where in the document, as a path of keys and indices.
        path: String,
        /// What is wrong there, with line and column.
        source: serde_json::Error,
    },
    /// The text names no error number.
    #[error(
        "unknown error number {text:?} (expected a name such as ENOSYS or EPERM, or a number from 1 to 4094)"
    )]
    UnknownErrno {
        /// The text.
        text: String,
    },
    /// The text asks for EPERM by a kernel that there is no table of.
    #[error("{text:?}: expected eperm-known, or eperm-known=VERSION with a kernel up to 5.14")]
    UnknownKernel {
        /// The text.
        text: String,
    },
    /// The text names no baseline.
    #[error("unknown runtime {text:?} (expected runc, crun, any or none)")]
    UnknownBaseline {
        /// The text.
        text: String,
    },
    /// The profile has both forms of the list of architectures.
    #[error(
        "the profile has `architectures` and `archMap`, and container engines refuse it; remove one of the two"
    )]
    BothArchLists,
    /// The recording names no machine, holds no call, and this machine cannot be recorded on.
    #[error("the recording does not say which architecture it was made on")]
    UnknownNativeArch,
    /// libseccomp failed.
    #[cfg(feature = "libseccomp")]
    #[error("libseccomp could not {doing}")]
    Libseccomp {
        /// What it was asked to do.
        doing: &'static str,
        /// Its answer.
        source: libseccomp::error::SeccompError,
    },
    /// A rule cannot be compiled; a container runtime would refuse to start the container.
    #[cfg(feature = "libseccomp")]
    #[error("syscalls[{index}]: libseccomp refuses the rule for {name:?}, and so would a container runtime")]
    Rule {
        /// The rule's position in the profile.
        index: usize,
        /// The call's name in it.
        name: String,
        /// libseccomp's answer.
        source: libseccomp::error::SeccompError,
    },
    /// libseccomp does not get done with the rules for a call.
    #[cfg(feature = "libseccomp")]
    #[error(
        "libseccomp is not done with the rules for {name:?} after {seconds} s, and a container runtime would hang; \
         use SCMP_CMP_EQ and SCMP_CMP_MASKED_EQ, or fewer rules that look at different arguments"
    )]
    Endless {
        /// The call's name in the profile.
        name: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The compiled filter could not be carried to the interpreter.
    #[cfg(feature = "libseccomp")]
    #[error("could not read the compiled filter")]
    Export {
        /// The failure of the in-memory file.
        source: std::io::Error,
    },
    /// The compiled filter is not one that the kernel would take.
    #[error("the compiled filter for {arch} is not valid")]
    Filter {
        /// The ABI it was compiled for.
        arch: seccomp_trace_core::Arch,
        /// What is wrong with it.
        source: crate::bpf::BpfError,
    },
    /// Calls that must be allowed are not.
    #[cfg(feature = "libseccomp")]
    #[error("the profile does not allow {0}")]
    Denied(Denials),
}

/// A call that a profile should allow and does not.
#[cfg(feature = "libseccomp")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denial {
    /// The call.
    pub call: seccomp_trace_core::Syscall,
    /// What its filter does with it.
    pub verdict: crate::Verdict,
}

/// The calls that a check found denied, in order. Not empty.
#[cfg(feature = "libseccomp")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denials(pub Vec<Denial>);

#[cfg(feature = "libseccomp")]
impl std::fmt::Display for Denials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, Denial { call, verdict }) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{call} of {} ({verdict})", call.arch)?;
        }
        Ok(())
    }
}
