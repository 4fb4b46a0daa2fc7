//! The codes: what each finding means. `docs/lint.md` is this table, and a test keeps it so.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what was meant.
    Warning,
    /// The profile cannot be used, or does not protect.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Note, Self::Warning, Self::Error]
            .into_iter()
            .find(|severity| severity.to_string() == text)
            .ok_or_else(|| format!("unknown level {text:?}, expected note, warning or error"))
    }
}

/// What was found. The numbers never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Code {
    /// No call is allowed.
    NoSyscallAllowed,
    /// The default action lets calls through.
    DefaultAllow,
    /// A name is allowed twice in the same way.
    DuplicateRule,
    /// A rule never counts, because another one decides.
    ShadowedRule,
    /// A name exists on none of the listed architectures.
    UnknownName,
    /// Both `architectures` and `archMap`.
    BothArchLists,
    /// X32 is listed.
    X32Open,
    /// Names of 32-bit x86 alone, but `SCMP_ARCH_X86` is not listed.
    X86Missing,
    /// A new call is denied with EPERM.
    NoFallback,
    /// A condition on an argument that is a pointer.
    PointerCondition,
    /// `socket` is restricted, and 32-bit x86 code may run.
    SocketOfX86,
    /// Calls are denied that the container runtime must make.
    BaselineMissing,
    /// Calls are denied that every program may need.
    AlwaysMissing,
    /// Two conditions on one argument.
    TwoConditions,
    /// An errno on an action that takes none.
    UselessErrno,
    /// Write asks a supervisor.
    NotifyWrite,
    /// A rule without names.
    EmptyRule,
    /// A rule asks a supervisor, and there is no `listenerPath`.
    ListenerMissing,
    /// `listenerPath` without a rule that asks.
    UnusedListener,
    /// Allowed calls widen the attack surface.
    WidePrivilege,
    /// Several rules for one call, of which libseccomp makes something else.
    Inequalities,
    /// The filter of all architectures does something else than the rules say.
    ArchesTogether,
    /// Runtimes refuse the profile.
    Refused,
    /// A masked condition without a mask, or with bits outside it.
    OutsideMask,
}

/// A line of the table.
struct Entry {
    code: Code,
    id: &'static str,
    severity: Severity,
    title: &'static str,
    why: &'static str,
    remedy: &'static str,
}

const TABLE: &[Entry] = &[
    Entry {
        code: Code::NoSyscallAllowed,
        id: "ST001",
        severity: Severity::Error,
        title: "no call is allowed",
        why: "A profile that denies by default and allows nothing starts no program: not even the exec can happen.",
        remedy: "Record the program, and generate a profile from the recording.",
    },
    Entry {
        code: Code::DefaultAllow,
        id: "ST002",
        severity: Severity::Error,
        title: "the default action lets calls through",
        why: "Calls that no rule names are executed, and every new kernel has more of them.",
        remedy: "Deny by default and list what is needed.",
    },
    Entry {
        code: Code::DuplicateRule,
        id: "ST003",
        severity: Severity::Warning,
        title: "a name is allowed twice in the same way",
        why: "The second rule changes nothing; one of the two will be forgotten in the next edit.",
        remedy: "Remove one.",
    },
    Entry {
        code: Code::ShadowedRule,
        id: "ST004",
        severity: Severity::Warning,
        title: "a rule never counts, because another one decides",
        why: "A rule without conditions beats those with conditions, wherever it stands, and of several the first counts.",
        remedy: "Remove one of the two, or give both conditions that exclude each other.",
    },
    Entry {
        code: Code::UnknownName,
        id: "ST005",
        severity: Severity::Warning,
        title: "a name exists on none of the listed architectures",
        why: "Runtimes skip names that they do not know, so the rule does not do what it says. It may be misspelt.",
        remedy: "Correct the name, or remove it.",
    },
    Entry {
        code: Code::BothArchLists,
        id: "ST006",
        severity: Severity::Error,
        title: "both `architectures` and `archMap`",
        why: "Container engines refuse such a profile.",
        remedy: "Remove one of the two.",
    },
    Entry {
        code: Code::X32Open,
        id: "ST007",
        severity: Severity::Warning,
        title: "x32 is listed",
        why: "Its calls are calls of x86_64 under other numbers: hardly any program uses them, and more of the kernel is open.",
        remedy: "Remove SCMP_ARCH_X32 unless a program needs it.",
    },
    Entry {
        code: Code::X86Missing,
        id: "ST008",
        severity: Severity::Warning,
        title: "names of 32-bit x86 alone, but SCMP_ARCH_X86 is not listed",
        why: "The first 32-bit call kills the program, and the rules for such calls have no effect.",
        remedy: "Add SCMP_ARCH_X86, or remove the names.",
    },
    Entry {
        code: Code::NoFallback,
        id: "ST009",
        severity: Severity::Warning,
        title: "a new call is denied with EPERM",
        why: "C libraries fall back to an older call on ENOSYS alone; EPERM becomes an error of the program.",
        remedy: "Deny it with ENOSYS (38).",
    },
    Entry {
        code: Code::PointerCondition,
        id: "ST010",
        severity: Severity::Error,
        title: "a condition on an argument that is a pointer",
        why: "A filter sees the address and not what it points to, and addresses differ from run to run.",
        remedy: "Remove the condition.",
    },
    Entry {
        code: Code::SocketOfX86,
        id: "ST011",
        severity: Severity::Warning,
        title: "`socket` is restricted, and 32-bit x86 code may run",
        why: "i386's socketcall has its arguments in memory, where no filter looks: libseccomp allows it without the condition.",
        remedy: "Remove SCMP_ARCH_X86 if no 32-bit program needs it.",
    },
    Entry {
        code: Code::BaselineMissing,
        id: "ST012",
        severity: Severity::Error,
        title: "calls are denied that the container runtime must make",
        why: "The runtime calls them between installing the filter and starting the program, so that no container starts.",
        remedy: "Add them, or generate the profile with --for.",
    },
    Entry {
        code: Code::AlwaysMissing,
        id: "ST013",
        severity: Severity::Warning,
        title: "calls are denied that every program may need",
        why: "They come by chance or from the kernel itself, so that no recording holds them reliably; without them programs crash.",
        remedy: "Add them.",
    },
    Entry {
        code: Code::TwoConditions,
        id: "ST014",
        severity: Severity::Warning,
        title: "two conditions on one argument",
        why: "Runtimes make a rule of each, so that either is enough: they are not a range.",
        remedy: "Make one condition of it.",
    },
    Entry {
        code: Code::UselessErrno,
        id: "ST015",
        severity: Severity::Note,
        title: "an errno on an action that takes none",
        why: "It has no effect at best; what its author wanted is not what happens.",
        remedy: "Use SCMP_ACT_ERRNO, or remove the errno.",
    },
    Entry {
        code: Code::NotifyWrite,
        id: "ST016",
        severity: Severity::Error,
        title: "write asks a supervisor",
        why: "The runtime must write to hand the supervisor its file descriptor, and waits for ever; runc refuses such a profile.",
        remedy: "Remove write from the rule.",
    },
    Entry {
        code: Code::EmptyRule,
        id: "ST017",
        severity: Severity::Warning,
        title: "a rule without names",
        why: "It matches nothing, and crun refuses it.",
        remedy: "Remove it.",
    },
    Entry {
        code: Code::ListenerMissing,
        id: "ST018",
        severity: Severity::Error,
        title: "a rule asks a supervisor, and there is no `listenerPath`",
        why: "Nobody answers: runtimes refuse the profile.",
        remedy: "Add the path of the supervisor's socket.",
    },
    Entry {
        code: Code::UnusedListener,
        id: "ST019",
        severity: Severity::Note,
        title: "`listenerPath` without a rule that asks",
        why: "The supervisor is never asked.",
        remedy: "Remove it, or add a rule with SCMP_ACT_NOTIFY.",
    },
    Entry {
        code: Code::WidePrivilege,
        id: "ST020",
        severity: Severity::Note,
        title: "allowed calls widen the attack surface",
        why: "Each is a common step of container escapes; `seccomp-trace explain` says why.",
        remedy: "Make sure that the program needs them.",
    },
    Entry {
        code: Code::Inequalities,
        id: "ST021",
        severity: Severity::Warning,
        title: "rules with inequalities that libseccomp may compile wrongly",
        why: "libseccomp 2.5 joins some sets of such rules into a filter that allows or denies other arguments, and does not end on some; runtimes then hang.",
        remedy: "Use SCMP_CMP_EQ and SCMP_CMP_MASKED_EQ, or one rule.",
    },
    Entry {
        code: Code::ArchesTogether,
        id: "ST022",
        severity: Severity::Error,
        title: "the filter of all architectures does something else than the rules say",
        why: "libseccomp 2.5 makes one section for x86_64 and x32, and one that begins with a call which x86_64 has not can skip every other rule: the kernel runs that filter, whatever the rules say.",
        remedy: "Remove SCMP_ARCH_X32.",
    },
    Entry {
        code: Code::Refused,
        id: "ST023",
        severity: Severity::Error,
        title: "runtimes refuse the profile",
        why: "A part that a runtime, its libseccomp or the kernel does not take is not skipped: no container starts.",
        remedy: "Correct or remove what is named here.",
    },
    Entry {
        code: Code::OutsideMask,
        id: "ST024",
        severity: Severity::Warning,
        title: "a value with bits outside its mask",
        why: "libseccomp drops those bits: a condition that could never hold holds where the others agree, and with a mask of zero always.",
        remedy: "`value` is the mask of SCMP_CMP_MASKED_EQ, `valueTwo` what the argument must be under it.",
    },
];

impl Code {
    /// Every code, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|entry| entry.code)
    }

    fn entry(self) -> &'static Entry {
        TABLE.iter().find(|entry| entry.code == self).expect("a test finds every code in the table")
    }

    /// The stable name, `ST001`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.entry().id
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(self) -> Severity {
        self.entry().severity
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.entry().title
    }

    /// Why it matters.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.entry().why
    }

    /// What to do.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        self.entry().remedy
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
