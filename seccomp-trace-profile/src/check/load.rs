//! Puts the calling process under a profile.

use seccomp_trace_core::Arch;

use super::carry::scmp_arches;
use super::wanted::Wanted;
use crate::{Environment, Profile, ProfileError, Resolved};

/// What happens to the calling thread's `no_new_privs` flag, which an unprivileged process must set before it
/// may install a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNewPrivs {
    /// Set it. Programs with the set-user-id bit then run without it.
    Set,
    /// Leave it as it is: `CAP_SYS_ADMIN` is needed if it is not set.
    Keep,
}

/// Installs the profile's filter in the calling thread, for it and all its descendants, for ever: all
/// architectures in one filter, as a container runtime does. The profile's flags and listener are ignored.
///
/// What the caller does until it executes another program must be allowed by the profile too.
///
/// # Errors
/// Those of [`Compiled::new`](crate::Compiled::new), and [`ProfileError::Libseccomp`] where the kernel refuses.
pub fn load(
    profile: &Profile,
    environment: &Environment,
    no_new_privs: NoNewPrivs,
) -> Result<(), ProfileError> {
    let native = Arch::native().ok_or(ProfileError::UnknownNativeArch)?;
    install(&Resolved::new(profile, environment, native)?, no_new_privs, false)
}

/// As [`load`]. With `log`, the kernel's log names what the filter denies.
pub(crate) fn install(
    resolved: &Resolved<'_>,
    no_new_privs: NoNewPrivs,
    log: bool,
) -> Result<(), ProfileError> {
    let failed = |doing| move |source| ProfileError::Libseccomp { doing, source };
    let arches = scmp_arches(&resolved.architectures)?;
    let mut context = Wanted::new(resolved, arches).loadable()?;
    context
        .set_ctl_nnp(no_new_privs == NoNewPrivs::Set)
        .map_err(failed("choose what becomes of no_new_privs"))?;
    if log {
        // Not every kernel or libseccomp can, and the filter is as good without.
        let _ = context.set_ctl_log(true);
    }
    context.load().map_err(failed("install the filter"))
}
