//! A profile's filter for one ABI, as crun and runc make it where the profile has no other.

use std::collections::BTreeSet;

use seccomp_trace_core::{Arch, Syscall};

use super::carry::Carried;
use super::wanted::{Wanted, scmp_arch};
use crate::bpf::{Program, SeccompData};
use crate::{ProfileError, Resolved, Verdict};

/// A profile's filter for one ABI, ready to be asked.
///
/// ```
/// use seccomp_trace_core::{Arch, Syscall};
/// use seccomp_trace_profile::{Compiled, Environment, Profile, Resolved, Verdict};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ALLOW",
///         "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}"#,
/// )?;
/// let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64)?;
/// let filter = Compiled::new(&resolved, Arch::X86_64)?;
/// let socket = Syscall::from_name(Arch::X86_64, "socket").unwrap();
/// assert_eq!(filter.verdict(socket, [1, 0, 0, 0, 0, 0]), Verdict::Allow);
/// assert_eq!(filter.verdict(socket, [2, 0, 0, 0, 0, 0]), Verdict::Errno(1));
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    arch: Arch,
    program: Program,
    skipped: BTreeSet<String>,
}

impl Compiled {
    /// Compiles the rules for one ABI alone. What a profile with several does, [`Filter`](crate::Filter) says:
    /// libseccomp (2.5.4) makes some sets of rules into a filter that does something else with one ABI beside another.
    ///
    /// # Errors
    /// [`ProfileError::Rule`] where a runtime would refuse the profile, [`ProfileError::Libseccomp`] and
    /// [`ProfileError::Export`] where libseccomp or the carrying over of its result failed,
    /// [`ProfileError::Endless`] where libseccomp does not get done, [`ProfileError::Filter`] where the result is no
    /// filter.
    pub fn new(resolved: &Resolved<'_>, arch: Arch) -> Result<Self, ProfileError> {
        let (bytes, skipped) = Wanted::new(resolved, vec![scmp_arch(arch)]).compile(Carried::Instructions)?;
        let program = Program::decode(&bytes).map_err(|source| ProfileError::Filter { arch, source })?;
        Ok(Self { arch, program, skipped })
    }

    /// The ABI that the filter is for.
    #[must_use]
    pub fn arch(&self) -> Arch {
        self.arch
    }

    /// The filter.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The names that this machine's libseccomp does not know, so that the rules do not count for them.
    #[must_use]
    pub fn skipped(&self) -> &BTreeSet<String> {
        &self.skipped
    }

    /// What the filter does with a call. A call of another ABI gets what libseccomp does with unlisted ones: it
    /// kills.
    #[must_use]
    pub fn verdict(&self, call: Syscall, args: [u64; 6]) -> Verdict {
        let data =
            SeccompData { nr: call.seccomp_nr(), arch: call.arch.audit(), instruction_pointer: 0, args };
        self.program.run(&data)
    }
}
