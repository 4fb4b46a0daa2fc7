//! A whole profile as one compiled filter, in bytes.

use std::collections::BTreeSet;

use libseccomp::ScmpArch;

use super::compile::{context, export, export_text};
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
    let (context, skipped) = context(resolved, &scmp_arches(arches)?)?;
    let bytes = match form {
        Carried::Instructions => export(&context)?,
        Carried::PseudoCode => export_text(&context)?,
    };
    Ok((bytes, skipped))
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
