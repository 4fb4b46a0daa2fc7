//! A whole profile as the one filter that a process gets.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall, SyscallNr, Watch, Watched, WatchedAbi};

use super::carry::{Carried, carry};
use crate::bpf::{Program, SeccompData, Undecided};
use crate::semantics::draft::Decision;
use crate::{ProfileError, Resolved, Verdict};

/// Numbers below this are looked at one by one; no rule is about a higher one, since no ABI has any.
const NUMBERS: i32 = 1024;
/// A number that no rule is about.
pub(crate) const UNNAMED: i32 = 0x0fff_ffff;

/// The filter that a runtime installs for a profile: all its architectures in one, as libseccomp compiles it. The
/// profile's flags and listener are no part of it.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::{Environment, Filter, Profile, Resolved, Verdict};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["getpid"], "action": "SCMP_ACT_ALLOW"}]}"#,
/// )?;
/// let filter = Filter::new(&Resolved::new(&profile, &Environment::default(), Arch::X86_64)?)?;
/// let call = |name| Syscall::from_name(Arch::X86_64, name).unwrap();
/// assert_eq!(filter.verdict(call("getpid"), [0; 6]), Verdict::Allow);
/// assert_eq!(filter.verdict(call("mkdir"), [0; 6]), Verdict::Errno(1));
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    bytes: Vec<u8>,
    program: Program,
    skipped: BTreeSet<String>,
    native: Arch,
}

impl Filter {
    /// Compiles the rules.
    ///
    /// # Errors
    /// Those of [`Compiled::new`](crate::Compiled::new).
    pub fn new(resolved: &Resolved<'_>) -> Result<Self, ProfileError> {
        let (bytes, skipped) = carry(resolved, &resolved.architectures, Carried::Instructions)?;
        let native = resolved.native;
        let program =
            Program::decode(&bytes).map_err(|source| ProfileError::Filter { arch: native, source })?;
        Ok(Self { bytes, program, skipped, native })
    }

    /// The instructions: `struct sock_filter`s in this machine's byte order, as seccomp(2) takes them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The names that this machine's libseccomp does not know, so that the rules do not count for them.
    #[must_use]
    pub fn skipped(&self) -> &BTreeSet<String> {
        &self.skipped
    }

    /// What the filter does with a call, of whatever ABI.
    #[must_use]
    pub fn verdict(&self, call: Syscall, args: [u64; 6]) -> Verdict {
        let data =
            SeccompData { nr: call.seccomp_nr(), arch: call.arch.audit(), instruction_pointer: 0, args };
        self.program.run(&data)
    }

    /// What the filter does with a call for all arguments.
    pub(crate) fn decide(&self, call: Syscall) -> Result<Decision, Undecided> {
        self.program.decide(call.seccomp_nr(), call.arch.audit())
    }

    /// What the filter does with a call whatever its arguments; `None` where it depends on them.
    #[must_use]
    pub fn constant_verdict(&self, call: Syscall) -> Option<Verdict> {
        self.decide(call).ok()?.as_constant()
    }

    /// The arguments that decide about a call: a bit for each, the first the lowest.
    pub(crate) fn tested(&self, call: Syscall) -> u8 {
        self.decide(call).map_or(u8::MAX, |decision| decision.tested())
    }

    /// The calls of all ABIs of the machine that have a `wanted` verdict, or can have one: those that depend on
    /// arguments with these.
    pub fn watch(&self, wanted: impl Fn(Verdict) -> bool) -> Watch {
        let arches = Arch::ALL.into_iter().filter(|arch| arch.native_of() == self.native);
        let abi = |arch| {
            let others = self.watched(Syscall::new(arch, UNNAMED), &wanted);
            let calls: BTreeMap<_, _> = (0..NUMBERS)
                .map(|nr| (SyscallNr(nr), self.watched(Syscall::new(arch, nr), &wanted)))
                .filter(|(_, watched)| *watched != others)
                .collect();
            (arch, WatchedAbi { calls, others })
        };
        let all: Watch = arches.map(abi).collect();
        let something = |abi: &WatchedAbi| {
            abi.others != Watched::Never || abi.calls.values().any(|how| *how != Watched::Never)
        };
        if all.values().any(something) { all } else { Watch::new() }
    }

    fn watched(&self, call: Syscall, wanted: &impl Fn(Verdict) -> bool) -> Watched {
        let Ok(decision) = self.decide(call) else {
            return Watched::Tested(u8::MAX);
        };
        match decision.as_constant() {
            Some(verdict) if wanted(verdict) => Watched::Always,
            None if decision.values().into_keys().any(wanted) => Watched::Tested(decision.tested()),
            _ => Watched::Never,
        }
    }
}
