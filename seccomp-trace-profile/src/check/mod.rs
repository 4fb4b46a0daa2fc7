//! Proof that a profile allows what it should: compile it, and put every call through the filter.

mod carry;
mod compile;
mod filter;
mod limit;
mod load;
mod wanted;

use std::collections::BTreeSet;

pub(crate) use carry::{Carried, carry, is_taken};
pub use compile::Compiled;
pub use filter::Filter;
pub(crate) use filter::UNNAMED;
use libseccomp::{ScmpSyscall, ScmpVersion};
#[cfg(feature = "confine")]
pub(crate) use load::install;
pub use load::{NoNewPrivs, load};
use seccomp_trace_core::{Arch, Syscall};
use wanted::scmp_arch;

use crate::{Denial, Denials, Environment, Profile, ProfileError, Resolved};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct CheckReport {
    /// The version of the libseccomp that the proof is of.
    pub libseccomp: String,
    /// The calls that the filter allows.
    pub allowed: BTreeSet<Syscall>,
    /// Calls that the profile allows by names which this libseccomp does not know: a runtime that is linked
    /// with it skips the names, and denies the calls.
    pub unknown_to_libseccomp: BTreeSet<Syscall>,
}

/// Puts `calls` with arguments of zero through the filter that a runtime would compile from `profile` on a machine of
/// their kind. `environment` decides which of its rules count.
///
/// # Errors
/// [`ProfileError::Denied`] with every call that is neither allowed nor unknown to libseccomp;
/// [`ProfileError::BothArchLists`] and the errors of [`Filter::new`] for a profile that no runtime takes.
///
/// ```
/// use std::collections::BTreeSet;
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::{Environment, Profile, check};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
///         "syscalls": [{"names": ["getpid"], "action": "SCMP_ACT_ALLOW"}]}"#,
/// )?;
/// let getpid = |arch| BTreeSet::from([Syscall::from_name(arch, "getpid").unwrap()]);
/// assert!(check(&profile, &getpid(Arch::X86_64), &Environment::default()).is_ok());
/// let error = check(&profile, &getpid(Arch::X86), &Environment::default()).unwrap_err();
/// assert_eq!(error.to_string(), "the profile does not allow getpid of x86 (SCMP_ACT_KILL_THREAD)");
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
pub fn check(
    profile: &Profile,
    calls: &BTreeSet<Syscall>,
    environment: &Environment,
) -> Result<CheckReport, ProfileError> {
    check_instances(profile, &calls.iter().map(|call| (*call, [0; 6])).collect(), environment)
}

/// As [`check`], with the arguments that each call has.
///
/// # Errors
/// As [`check`].
pub fn check_instances(
    profile: &Profile,
    calls: &BTreeSet<(Syscall, [u64; 6])>,
    environment: &Environment,
) -> Result<CheckReport, ProfileError> {
    let mut report = CheckReport {
        libseccomp: libseccomp_version()?,
        allowed: BTreeSet::new(),
        unknown_to_libseccomp: BTreeSet::new(),
    };
    let mut denials = Vec::new();
    let natives: BTreeSet<Arch> = calls.iter().map(|(call, _)| call.arch.native_of()).collect();
    for native in natives {
        let resolved = Resolved::new(profile, environment, native)?;
        let filter = Filter::new(&resolved)?;
        for (call, args) in calls.iter().filter(|(call, _)| call.arch.native_of() == native) {
            let verdict = filter.verdict(*call, *args);
            if verdict.executes() {
                report.allowed.insert(*call);
            } else if resolved.arches().any(|arch| arch == call.arch)
                && names_it(&resolved, *call)
                && !is_known(*call)
            {
                report.unknown_to_libseccomp.insert(*call);
            } else {
                denials.push(Denial { call: *call, verdict });
            }
        }
    }
    if denials.is_empty() { Ok(report) } else { Err(ProfileError::Denied(Denials(denials))) }
}

/// The version of the libseccomp in use, such as `2.5.4`.
///
/// # Errors
/// [`ProfileError::Libseccomp`] where it does not say.
pub fn libseccomp_version() -> Result<String, ProfileError> {
    let version = ScmpVersion::current();
    version
        .map(|version| version.to_string())
        .map_err(|source| ProfileError::Libseccomp { doing: "tell its version", source })
}

/// Whether a rule lets the call through by name.
fn names_it(resolved: &Resolved<'_>, call: Syscall) -> bool {
    let Some(name) = call.name() else { return false };
    resolved.rules.iter().any(|rule| rule.verdict.executes() && rule.names.contains(&name))
}

/// Whether libseccomp's table of the call's ABI has its number. (By name it would not do: for `socket` and its
/// like it gives i386 no number, since there it makes two rules of one.)
pub(crate) fn is_known(call: Syscall) -> bool {
    let number = i32::from_ne_bytes(call.seccomp_nr().to_ne_bytes());
    ScmpSyscall::from(number).get_name_by_arch(scmp_arch(call.arch)).is_ok()
}
