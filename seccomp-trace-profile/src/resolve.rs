//! What an engine makes of a profile for one container on one machine: the runtime never sees `archMap`,
//! `includes` and `excludes`.
//!
//! Sources: containers-common `pkg/seccomp/seccomp_linux.go`, moby `profiles/seccomp/seccomp_linux.go`.

use std::collections::BTreeSet;

use seccomp_trace_core::Arch;

use crate::{Action, ArchToken, Arg, Condition, KernelVersion, Operator, Profile, ProfileError, Verdict};

/// Podman's default capabilities (`default_capabilities` in containers-common's `containers.conf`).
const PODMAN_CAPS: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// EPERM, which runtimes use where a rule states no errno.
const DEFAULT_ERRNO: u32 = 1;

/// The container and machine that `includes` and `excludes` are evaluated for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The container's bounding set, `CAP_…`.
    pub caps: BTreeSet<String>,
    /// The kernel.
    pub kernel: KernelVersion,
}

impl Default for Environment {
    /// Podman's default capabilities, and the kernel that this program runs on.
    fn default() -> Self {
        let release =
            nix::sys::utsname::uname().ok().and_then(|uname| uname.release().to_str()?.parse().ok());
        Self {
            caps: PODMAN_CAPS.into_iter().map(str::to_owned).collect(),
            // Every kernel that runs this program is newer than any `minKernel` in use.
            kernel: release.unwrap_or(KernelVersion { major: u32::MAX, minor: 0 }),
        }
    }
}

/// A rule as the runtime gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRule<'a> {
    /// The rule's position in the profile.
    pub index: usize,
    /// The calls.
    pub names: Vec<&'a str>,
    /// What happens to them.
    pub verdict: Verdict,
    /// The conditions on arguments.
    pub args: &'a [Arg],
}

impl ResolvedRule<'_> {
    /// Whether it is about its calls whatever their arguments: libseccomp sees no condition in a mask of zero.
    pub(crate) fn is_unconditional(&self) -> bool {
        let says_nothing = |arg: &Arg| arg.op() == Operator::MaskedEqual && arg.value() == 0;
        let arguments: BTreeSet<_> = self.args.iter().map(Arg::index).collect();
        // Where two are about one argument, each is a rule of its own.
        if arguments.len() == self.args.len() {
            self.args.iter().all(says_nothing)
        } else {
            self.args.iter().any(says_nothing)
        }
    }
}

/// A profile as the runtime gets it.
///
/// ```
/// use seccomp_trace_core::Arch;
/// use seccomp_trace_profile::{Environment, Profile, Resolved, Verdict};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [
///         {"names": ["bpf"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_BPF"]}}]}"#,
/// )?;
/// let mut environment = Environment::default();
/// assert!(Resolved::new(&profile, &environment, Arch::X86_64)?.rules.is_empty());
/// environment.caps.insert("CAP_BPF".to_owned());
/// let resolved = Resolved::new(&profile, &environment, Arch::X86_64)?;
/// assert_eq!(resolved.rules[0].verdict, Verdict::Allow);
/// assert_eq!(resolved.default, Verdict::Errno(1));
/// # Ok::<(), seccomp_trace_profile::ProfileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// What happens to calls that no rule is about.
    pub default: Verdict,
    /// The machine's ABI.
    pub native: Arch,
    /// The architectures of the filter, the native one first; runtimes always have that, listed or not.
    pub architectures: Vec<ArchToken>,
    /// The rules that count here, in the profile's order. Those without names are left out.
    pub rules: Vec<ResolvedRule<'a>>,
}

impl<'a> Resolved<'a> {
    /// Evaluates `profile` for a container in `environment` on a machine whose kernel's ABI is `native`.
    ///
    /// # Errors
    /// [`ProfileError::BothArchLists`], which engines refuse.
    pub fn new(profile: &'a Profile, environment: &Environment, native: Arch) -> Result<Self, ProfileError> {
        let rules = profile.rules().iter().enumerate();
        let rules = rules
            .filter(|(_, rule)| counts(rule.includes(), rule.excludes(), environment, native))
            .map(|(index, rule)| ResolvedRule {
                index,
                names: rule.names().collect(),
                verdict: verdict(rule.action(), rule.errno()),
                args: rule.args(),
            })
            .filter(|rule| !rule.names.is_empty());
        Ok(Self {
            default: verdict(profile.default_action(), profile.default_errno()),
            native,
            architectures: architectures(profile, native)?,
            rules: rules.collect(),
        })
    }

    /// The ABIs that the filter covers, as far as this project knows them.
    pub fn arches(&self) -> impl Iterator<Item = Arch> + '_ {
        self.architectures.iter().filter_map(|token| token.arch(self.native))
    }
}

fn verdict(action: Action, errno: Option<u32>) -> Verdict {
    // Runtimes pass on the lower 16 bits.
    let [.., high, low] = errno.unwrap_or(DEFAULT_ERRNO).to_be_bytes();
    let data = u16::from_be_bytes([high, low]);
    match action {
        Action::Kill | Action::KillThread => Verdict::KillThread,
        Action::KillProcess => Verdict::KillProcess,
        Action::Trap => Verdict::Trap,
        Action::Errno => Verdict::Errno(data),
        Action::Trace => Verdict::Trace(data),
        Action::Allow => Verdict::Allow,
        Action::Log => Verdict::Log,
        Action::Notify => Verdict::Notify,
    }
}

/// The architectures of the filter on a machine of this kind, the native one first.
pub(crate) fn architectures(profile: &Profile, native: Arch) -> Result<Vec<ArchToken>, ProfileError> {
    if !profile.architectures().is_empty() && !profile.arch_map().is_empty() {
        return Err(ProfileError::BothArchLists);
    }
    let entry = profile.arch_map().iter().find(|entry| entry.architecture().arch(native) == Some(native));
    let listed =
        profile.architectures().iter().chain(entry.map_or(&[][..], |entry| entry.sub_architectures()));
    let mut architectures = vec![ArchToken::from(native)];
    for token in listed {
        if token.arch(native) != Some(native) && !architectures.contains(token) {
            architectures.push(*token);
        }
    }
    Ok(architectures)
}

/// All capabilities of `includes` must be there and none of `excludes`; one of the architectures of `includes`
/// and none of `excludes`; the kernel as new as `includes` says and older than `excludes` says.
fn counts(includes: &Condition, excludes: &Condition, environment: &Environment, native: Arch) -> bool {
    let native = go_name(native);
    let has = |cap: &String| environment.caps.contains(cap);
    let is_native = |arch: &String| arch == native;
    let included = includes.caps().iter().all(has)
        && (includes.arches().is_empty() || includes.arches().iter().any(is_native))
        && includes.min_kernel().is_none_or(|min| environment.kernel >= min);
    let excluded = excludes.caps().iter().any(has)
        || excludes.arches().iter().any(is_native)
        || excludes.min_kernel().is_some_and(|min| environment.kernel >= min);
    included && !excluded
}

/// The name of a native ABI in `includes` and `excludes` (libseccomp-golang's `ScmpArch.String`).
fn go_name(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "amd64",
        Arch::Aarch64 => "arm64",
        // The others are named alike everywhere.
        other => other.name(),
    }
}
