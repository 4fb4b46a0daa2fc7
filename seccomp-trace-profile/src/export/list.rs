//! The names of the calls that are allowed, one a line.

use std::collections::BTreeSet;

use super::{ExportError, Note, Source};
use crate::Decision;

/// A line for each name. A call that is allowed with some arguments is in the list, and a note says so.
pub(super) fn write(source: &Source<'_>, notes: &mut Vec<Note>) -> Result<String, ExportError> {
    if source.resolved.default.executes() {
        // What is allowed then has no end.
        return Err(source.refuse_default());
    }
    source.note_installation(notes);
    let mut text = String::new();
    let mut conditional = BTreeSet::new();
    for (name, decision) in source.plain_decisions(notes) {
        if !decision.may_execute(source.resolved.default) {
            continue;
        }
        if matches!(decision, Decision::ByArguments(_)) {
            conditional.insert(name.to_owned());
        }
        text.push_str(name);
        text.push('\n');
    }
    if !conditional.is_empty() {
        notes.push(Note::Conditional { names: conditional });
    }
    Ok(text)
}
