//! The compiled filter, as instructions and as libseccomp's pseudo filter code.

use super::{ExportError, Note, Source};
use crate::check::{Carried, carry};
use crate::{ArchToken, libseccomp_version};

/// In the form of `struct sock_filter`s, as seccomp(2) and `bwrap --seccomp` take them, or of text.
pub(super) fn write(
    source: &Source<'_>,
    form: Carried,
    notes: &mut Vec<Note>,
) -> Result<Vec<u8>, ExportError> {
    source.note_installation(notes);
    let all = &source.resolved.architectures;
    let arches = match source.options.only {
        None => all.clone(),
        Some(arch) => {
            if !source.resolved.arches().any(|covered| covered == arch) {
                return Err(ExportError::NotCovered { arch });
            }
            let others: Vec<String> =
                all.iter().filter(|token| token.as_str() != arch.scmp()).map(ToString::to_string).collect();
            if !others.is_empty() {
                notes.push(Note::OneAbi { arch, others });
            }
            vec![ArchToken::from(arch)]
        }
    };
    let (bytes, skipped) = carry(source.resolved, &arches, form)?;
    if !skipped.is_empty() {
        notes
            .push(Note::UnknownNames { to: format!("libseccomp {}", libseccomp_version()?), names: skipped });
    }
    Ok(bytes)
}
