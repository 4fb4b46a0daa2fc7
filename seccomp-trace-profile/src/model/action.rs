//! Actions and comparison operators, by their libseccomp tokens.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a rule or a profile does with a call: a `SCMP_ACT_…` token (runtime-spec, config-linux.md, `seccomp`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    /// Kills the thread; the old name of [`KillThread`](Self::KillThread).
    #[serde(rename = "SCMP_ACT_KILL")]
    Kill,
    /// Kills the whole process.
    #[serde(rename = "SCMP_ACT_KILL_PROCESS")]
    KillProcess,
    /// Kills the thread.
    #[serde(rename = "SCMP_ACT_KILL_THREAD")]
    KillThread,
    /// Sends SIGSYS.
    #[serde(rename = "SCMP_ACT_TRAP")]
    Trap,
    /// Fails the call with an errno.
    #[serde(rename = "SCMP_ACT_ERRNO")]
    Errno,
    /// Asks a tracer.
    #[serde(rename = "SCMP_ACT_TRACE")]
    Trace,
    /// Lets the call through.
    #[serde(rename = "SCMP_ACT_ALLOW")]
    Allow,
    /// Logs the call and lets it through.
    #[serde(rename = "SCMP_ACT_LOG")]
    Log,
    /// Asks a supervisor.
    #[serde(rename = "SCMP_ACT_NOTIFY")]
    Notify,
}

impl Action {
    /// The token.
    #[must_use]
    pub const fn token(self) -> &'static str {
        match self {
            Self::Kill => "SCMP_ACT_KILL",
            Self::KillProcess => "SCMP_ACT_KILL_PROCESS",
            Self::KillThread => "SCMP_ACT_KILL_THREAD",
            Self::Trap => "SCMP_ACT_TRAP",
            Self::Errno => "SCMP_ACT_ERRNO",
            Self::Trace => "SCMP_ACT_TRACE",
            Self::Allow => "SCMP_ACT_ALLOW",
            Self::Log => "SCMP_ACT_LOG",
            Self::Notify => "SCMP_ACT_NOTIFY",
        }
    }

    /// Whether the kernel executes the call without asking anybody.
    #[must_use]
    pub const fn executes(self) -> bool {
        matches!(self, Self::Allow | Self::Log)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token())
    }
}

/// How an argument is compared: a `SCMP_CMP_…` token. The comparison is of unsigned 64-bit numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Operator {
    /// argument != value
    #[serde(rename = "SCMP_CMP_NE")]
    NotEqual,
    /// argument < value
    #[serde(rename = "SCMP_CMP_LT")]
    Less,
    /// argument <= value
    #[serde(rename = "SCMP_CMP_LE")]
    LessOrEqual,
    /// argument == value
    #[serde(rename = "SCMP_CMP_EQ")]
    Equal,
    /// argument >= value
    #[serde(rename = "SCMP_CMP_GE")]
    GreaterOrEqual,
    /// argument > value
    #[serde(rename = "SCMP_CMP_GT")]
    Greater,
    /// (argument & value) == valueTwo
    #[serde(rename = "SCMP_CMP_MASKED_EQ")]
    MaskedEqual,
}
