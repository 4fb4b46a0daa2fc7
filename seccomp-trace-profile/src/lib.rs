//! seccomp profiles: a lossless model of every dialect, generation from recordings, and a check of the result
//! against the filter that a container runtime would compile from it.
//!
//! - [`Profile`] holds any profile in JSON and writes back what it read.
//! - [`generate()`] derives a profile from a [`Recording`](seccomp_trace_core::Recording) and a [`Policy`].
//! - [`Resolved`] is what an engine makes of a profile for one machine and container ([`Environment`]).
//! - [`export()`] puts a profile into the form of another program ([`Format`]).
//! - [`lint()`] finds what is wrong with a profile.
//! - [`explain()`] says which rule decides about a call, why it is there, and what it means.
//! - [`Semantics`] is what a profile means; [`merge()`], [`diff()`] and [`subset()`] work on it.
//! - [`bpf`] decodes and runs seccomp filters, without a kernel.
//! - With the feature `libseccomp`: `check` compiles a profile and puts calls through the filter, and `load`
//!   installs it in the calling process.
//! - With the feature `confine`: `confine` gives up what a tracer needs no more once its target is armed.
//!
//! Nothing here needs privileges, and nothing needs libseccomp unless its feature is on.
//!
//! ```
//! use seccomp_trace_core::{Arch, Observation, Phase, Recording, Syscall};
//! use seccomp_trace_profile::{Baseline, Policy, generate};
//!
//! let mut recording = Recording::default();
//! for name in ["openat", "read", "write"] {
//!     let call = Syscall::from_name(Arch::X86_64, name).unwrap();
//!     recording.observe(call, Phase::Workload, Observation::default());
//! }
//! let policy = Policy { baseline: Baseline::Crun, ..Policy::default() };
//! let generated = generate(&recording, &policy)?;
//!
//! let rule = &generated.profile.rules()[0];
//! assert_eq!(rule.comment(), "seccomp-trace: workload");
//! assert_eq!(rule.names().collect::<Vec<_>>(), ["openat", "read", "write"]);
//! println!("{}", generated.profile.to_json());
//! # Ok::<(), seccomp_trace_profile::ProfileError>(())
//! ```
#![forbid(unsafe_code)]

mod algebra;
mod baseline;
pub mod bpf;
#[cfg(feature = "libseccomp")]
mod check;
#[cfg(feature = "confine")]
pub mod confine;
mod constants;
mod decision;
#[cfg(feature = "libseccomp")]
mod denials;
mod errno;
mod error;
mod explain;
mod export;
mod generate;
mod groups;
#[cfg(all(feature = "libseccomp", feature = "output"))]
mod job;
mod kernels;
mod lint;
mod model;
#[cfg(feature = "output")]
mod output;
#[cfg(feature = "output")]
mod rescue;
mod resolve;
mod semantics;
mod similar;
mod verdict;

pub use algebra::{
    AlgebraError, Change, ChangeKind, Combination, Counterexample, Diff, Merged, OnConflict, Setting, diff,
    merge, subset,
};
#[cfg(feature = "libseccomp")]
pub use algebra::{Proof, prove};
pub use baseline::{ALWAYS, Always, BASELINE_VERSION, BASELINES, Baseline, BaselineEntry, RuntimeBaseline};
#[cfg(feature = "libseccomp")]
pub use check::{
    CheckReport, Compiled, Filter, NoNewPrivs, check, check_instances, libseccomp_version, load,
};
pub use decision::Decision;
#[cfg(feature = "libseccomp")]
pub use denials::{Allowed, Cause, Judged, Judgement, Ruling, allow_denied, judge};
pub use errno::Errno;
pub use error::ProfileError;
#[cfg(feature = "libseccomp")]
pub use error::{Denial, Denials};
pub use explain::{ArchVerdict, DANGERS, Danger, DangerKind, Deciding, Explanation, Seen, explain};
pub use export::{ExportError, ExportOptions, Exported, Format, Input, Note, always_allowed, export};
#[cfg(feature = "libseccomp")]
pub use generate::{Comparison, DeniedCall, Withheld, compare};
pub use generate::{Errnos, Generated, Policy, Reason, SetupCalls, Warning, generate};
pub use groups::{Group, SYSTEMD_VERSION};
#[cfg(all(feature = "libseccomp", feature = "output"))]
pub use job::{Job, JobError, JobReport};
pub use lint::{Code, Finding, Severity, lint};
pub use model::{
    Action, ArchMapEntry, ArchToken, Arg, ArgIndex, Condition, KernelVersion, Operator, Profile, Rule,
};
#[cfg(feature = "output")]
pub use output::{Output, OutputError, SettledOutput, Written};
#[cfg(feature = "output")]
pub use rescue::rescue;
pub use resolve::{Environment, Resolved, ResolvedRule};
pub use semantics::table::Semantics;
pub use similar::similar_names;
pub use verdict::Verdict;
