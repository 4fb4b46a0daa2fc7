//! Profiles in the forms of other programs.
//!
//! A form that cannot hold what a profile says refuses it with an [`ExportError`], or leaves out what does not matter
//! for what is denied and says so in a [`Note`]; nothing is dropped without a word.

#[cfg(feature = "libseccomp")]
mod bpf;
mod docker;
mod error;
mod format;
mod input;
mod kubernetes;
mod list;
mod note;
mod oci;
mod seccompiler;
mod systemd;
mod yaml;

use std::collections::BTreeSet;

pub use error::ExportError;
pub use format::Format;
pub use input::Input;
pub use note::Note;
use seccomp_trace_core::{Arch, Syscall};

#[cfg(feature = "libseccomp")]
use crate::check::Carried;
use crate::{Decision, Environment, Profile, ProfileError, Reason, Resolved, Rule};

/// What is to be known besides the profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportOptions {
    /// Decides which rules count, for every format but [`Format::Docker`], which keeps `includes` and `excludes`.
    pub environment: Environment,
    /// The ABI of the machine that the export is for.
    pub native: Arch,
    /// The name of the object, for [`Format::Kubernetes`]; what such names may not hold is replaced.
    pub name: String,
    /// Keep what only container runtimes need also where no container runtime loads the result.
    pub keep_runtime: bool,
    /// Where the format has no place for conditions on arguments, allow the call with all of them instead of refusing
    /// the profile.
    pub widen: bool,
    /// For [`Format::Bpf`] and [`Format::Pfc`]: a filter for this ABI alone, instead of for all of the profile.
    pub only: Option<Arch>,
}

impl ExportOptions {
    /// The defaults for a machine of this kind.
    #[must_use]
    pub fn new(native: Arch) -> Self {
        Self {
            environment: Environment::default(),
            native,
            name: "seccomp-trace".to_owned(),
            keep_runtime: false,
            widen: false,
            only: None,
        }
    }
}

/// A profile in another form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Exported {
    /// The content of the file: text in UTF-8, except of [`Format::Bpf`].
    pub bytes: Vec<u8>,
    /// What the form does not say, in a fixed order.
    pub notes: Vec<Note>,
}

/// Puts a profile into another form. The same profile and options give the same bytes.
///
/// Rules that only container runtimes need, by their [`Reason`], are left out of formats that no container runtime
/// loads ([`Format::sheds_runtime`]), unless the options keep them.
///
/// # Errors
/// [`ExportError`]: the format cannot say what the profile says.
///
/// ```
/// use seccomp_trace_core::Arch;
/// use seccomp_trace_profile::{ExportOptions, Format, Profile, export};
///
/// let profile = Profile::from_json(
///     r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
///         {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW", "comment": "seccomp-trace: workload"},
///         {"names": ["capset"], "action": "SCMP_ACT_ALLOW", "comment": "seccomp-trace: baseline (crun)"}]}"#,
/// )?;
/// let exported = export(&profile, Format::List, &ExportOptions::new(Arch::X86_64))?;
/// assert_eq!(exported.bytes, b"read\nwrite\n");
/// assert_eq!(exported.notes.len(), 1, "capset was left out, and that is said");
/// # Ok::<(), seccomp_trace_profile::ExportError>(())
/// ```
pub fn export(profile: &Profile, format: Format, options: &ExportOptions) -> Result<Exported, ExportError> {
    let mut notes = Vec::new();
    let shed;
    let profile = if format.sheds_runtime() && !options.keep_runtime {
        shed = without_runtime(profile, &mut notes);
        &shed
    } else {
        profile
    };
    let bytes = match format {
        Format::Docker => docker::write(profile, &mut notes)?.into_bytes(),
        _ => {
            let resolved = Resolved::new(profile, &options.environment, options.native)?;
            let source = Source { profile, resolved: &resolved, options, format };
            match format {
                Format::Oci => oci::write(&source, &mut notes).into_bytes(),
                Format::Kubernetes => kubernetes::write(&source, &mut notes)?.into_bytes(),
                Format::Systemd => systemd::write(&source, &mut notes)?.into_bytes(),
                Format::Seccompiler => seccompiler::write(&source, &mut notes)?.into_bytes(),
                #[cfg(feature = "libseccomp")]
                Format::Bpf => bpf::write(&source, Carried::Instructions, &mut notes)?,
                #[cfg(feature = "libseccomp")]
                Format::Pfc => bpf::write(&source, Carried::PseudoCode, &mut notes)?,
                Format::List | Format::Docker => list::write(&source, &mut notes)?.into_bytes(),
            }
        }
    };
    notes.sort();
    Ok(Exported { bytes, notes })
}

/// The calls that `profile` allows whatever the arguments on a machine of the ABI `native`: what another form of it
/// must allow too.
///
/// # Errors
/// [`ProfileError::BothArchLists`].
pub fn always_allowed(
    profile: &Profile,
    environment: &Environment,
    native: Arch,
) -> Result<BTreeSet<Syscall>, ProfileError> {
    let resolved = Resolved::new(profile, environment, native)?;
    let names: BTreeSet<&str> = resolved.rules.iter().flat_map(|rule| rule.names.iter().copied()).collect();
    let fixed = |name: &&str| matches!(Decision::of(&resolved, name), Decision::Fixed(rule) if rule.verdict.executes());
    let names: Vec<&str> = names.into_iter().filter(fixed).collect();
    let calls = resolved
        .arches()
        .flat_map(|arch| names.iter().filter_map(move |name| Syscall::from_name(arch, name)));
    Ok(calls.collect())
}

/// What a format is made of.
struct Source<'a> {
    profile: &'a Profile,
    resolved: &'a Resolved<'a>,
    options: &'a ExportOptions,
    format: Format,
}

impl Source<'_> {
    /// Every name that a rule which counts has, with what happens to it.
    fn decisions(&self) -> Vec<(&str, Decision<'_>)> {
        let names: BTreeSet<&str> =
            self.resolved.rules.iter().flat_map(|rule| rule.names.iter().copied()).collect();
        names.into_iter().map(|name| (name, Decision::of(self.resolved, name))).collect()
    }

    /// As [`decisions`](Self::decisions), for texts that are no JSON: without names that no call can have, which could
    /// mean something else there. No kernel has such a call, so that nothing is allowed or denied with it.
    fn plain_decisions(&self, notes: &mut Vec<Note>) -> Vec<(&str, Decision<'_>)> {
        let (plain, others): (Vec<_>, Vec<_>) =
            self.decisions().into_iter().partition(|(name, _)| is_plain(name));
        if !others.is_empty() {
            let names = others.into_iter().map(|(name, _)| name.to_owned()).collect();
            notes.push(Note::UnknownNames { to: "every kernel".to_owned(), names });
        }
        plain
    }

    fn refuse_action(&self, index: usize, name: &str) -> ExportError {
        let action = self.profile.rules()[index].action();
        ExportError::Action { format: self.format, index, name: name.to_owned(), action }
    }

    fn refuse_default(&self) -> ExportError {
        ExportError::DefaultAction { format: self.format, action: self.profile.default_action() }
    }

    fn refuse_arguments(&self, index: usize, name: &str) -> ExportError {
        ExportError::Arguments { format: self.format, index, name: name.to_owned() }
    }

    /// Says that flags and listener are not in the result.
    fn note_installation(&self, notes: &mut Vec<Note>) {
        if !self.profile.flags().is_empty() {
            notes.push(Note::Flags { flags: self.profile.flags().to_vec() });
        }
        if self.profile.listener_path().is_some() || self.profile.listener_metadata().is_some() {
            notes.push(Note::Listener);
        }
    }
}

/// Whether a call can have the name: those of all kernels are small letters, digits and underscores.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_ascii_lowercase())
        && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
}

fn without_runtime(profile: &Profile, notes: &mut Vec<Note>) -> Profile {
    let of_runtime =
        |rule: &Rule| Reason::from_comment(rule.comment()).is_some_and(|reason| reason.is_runtime());
    let names: BTreeSet<String> = profile
        .rules()
        .iter()
        .filter(|rule| of_runtime(rule))
        .flat_map(|rule| rule.names().map(str::to_owned))
        .collect();
    if !names.is_empty() {
        notes.push(Note::RuntimeLeftOut { names });
    }
    profile.retain(|rule| !of_runtime(rule))
}
