//! A whole profile as one compiled filter, in bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek};

use libseccomp::{ScmpAction, ScmpArch, ScmpFilterContext};
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::wanted::Wanted;
use crate::{ArchToken, ProfileError, Resolved};

/// The form of a compiled filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carried {
    /// `struct sock_filter`s in this machine's byte order.
    Instructions,
    /// libseccomp's text.
    PseudoCode,
}

/// The filter for `arches`, and the names that libseccomp does not know.
pub(crate) fn carry(
    resolved: &Resolved<'_>,
    arches: &[ArchToken],
    form: Carried,
) -> Result<(Vec<u8>, BTreeSet<String>), ProfileError> {
    Wanted::new(resolved, scmp_arches(arches)?).compile(form)
}

/// libseccomp's values for tokens; it does not know every architecture that profiles may name.
pub(super) fn scmp_arches(tokens: &[ArchToken]) -> Result<Vec<ScmpArch>, ProfileError> {
    let parse = |token: &ArchToken| token.as_str().parse();
    tokens
        .iter()
        .map(parse)
        .collect::<Result<_, _>>()
        .map_err(|source| ProfileError::Libseccomp { doing: "name an architecture", source })
}

/// Whether libseccomp makes filters for it, beside one for this machine.
pub(crate) fn is_taken(token: ArchToken) -> bool {
    let Ok(arches) = scmp_arches(&[token]) else { return false };
    let context = ScmpFilterContext::new(ScmpAction::KillThread);
    context.is_ok_and(|mut context| arches.into_iter().all(|arch| context.add_arch(arch).is_ok()))
}

/// The program in the wanted form. libseccomp before 2.6 writes it to a file descriptor only.
pub(super) fn export(context: &ScmpFilterContext, form: Carried) -> Result<Vec<u8>, ProfileError> {
    through_memory(|file| match form {
        Carried::Instructions => context.export_bpf(file),
        Carried::PseudoCode => context.export_pfc(file),
    })
}

fn through_memory(
    write: impl FnOnce(&File) -> Result<(), libseccomp::error::SeccompError>,
) -> Result<Vec<u8>, ProfileError> {
    let failed = |source| ProfileError::Export { source };
    let memory =
        memfd_create("seccomp-filter", MFdFlags::MFD_CLOEXEC).map_err(|errno| failed(errno.into()))?;
    let mut file = File::from(memory);
    write(&file).map_err(|source| ProfileError::Libseccomp { doing: "compile the filter", source })?;
    let mut bytes = Vec::new();
    file.rewind().and_then(|()| file.read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}
