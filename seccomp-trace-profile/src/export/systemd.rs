//! A drop-in for a systemd service (systemd.exec(5): `SystemCallFilter=`, `SystemCallArchitectures=`,
//! `SystemCallErrorNumber=`, `RestrictAddressFamilies=`).

mod families;
mod groups;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use seccomp_trace_core::Arch;

use super::{ExportError, Format, Note, Source};
use crate::{Decision, Errno, Verdict};

/// Lines end before this column.
const WIDTH: usize = 110;

/// What a drop-in says.
#[derive(Default)]
struct DropIn {
    /// Allowed calls, or with a default of allowing none.
    allowed: BTreeSet<String>,
    /// Calls with an answer of their own, by the suffix that says it.
    answered: BTreeMap<String, String>,
    /// The only address families that `socket` takes.
    families: Option<BTreeSet<&'static str>>,
    widened: BTreeSet<String>,
}

/// The drop-in. A profile that denies by default becomes an allow list; its calls with another errno are denied
/// with that one after it.
pub(super) fn write(source: &Source<'_>, notes: &mut Vec<Note>) -> Result<String, ExportError> {
    let default = source.resolved.default;
    let allows = default == Verdict::Allow;
    let error_number = match default {
        Verdict::Allow => None,
        other => Some(answer(other, notes).ok_or_else(|| source.refuse_default())?),
    };
    source.note_installation(notes);
    let drop_in = collect(source, notes)?;
    if !allows && drop_in.allowed.is_empty() {
        // An empty assignment would switch the filter off.
        return Err(ExportError::NothingAllowed { format: Format::Systemd });
    }

    let mut text = String::from("# Made by seccomp-trace export --format systemd.\n[Service]\n");
    line(&mut text, "SystemCallArchitectures=", &architectures(source, notes));
    if let Some(number) = error_number {
        line(&mut text, "SystemCallErrorNumber=", &[number]);
    }
    if !allows {
        let arches: Vec<Arch> = source.resolved.arches().collect();
        let words = groups::fold(&drop_in.allowed, &arches);
        if words.iter().any(|word| word.starts_with('@')) {
            notes.push(Note::Groups);
        }
        line(&mut text, "SystemCallFilter=", &words);
        let more = groups::always(&arches).filter(|name| !drop_in.allowed.contains(*name));
        let names: BTreeSet<String> = more.map(str::to_owned).collect();
        if !names.is_empty() {
            notes.push(Note::AllowedBySystemd { names });
        }
    }
    let answered: Vec<String> =
        drop_in.answered.iter().map(|(name, answer)| format!("{name}:{answer}")).collect();
    line(&mut text, "SystemCallFilter=~", &answered);
    if let Some(families) = drop_in.families {
        line(
            &mut text,
            "RestrictAddressFamilies=",
            &families.into_iter().map(str::to_owned).collect::<Vec<_>>(),
        );
        notes.push(Note::AddressFamilies);
    }
    if !drop_in.widened.is_empty() {
        notes.push(Note::Widened { names: drop_in.widened });
    }
    Ok(text)
}

fn collect(source: &Source<'_>, notes: &mut Vec<Note>) -> Result<DropIn, ExportError> {
    let mut drop_in = DropIn::default();
    for (name, decision) in source.plain_decisions(notes) {
        let may_execute = decision.may_execute(source.resolved.default);
        match decision {
            Decision::Default => {}
            Decision::Fixed(rule) if rule.verdict == Verdict::Allow => {
                drop_in.allowed.insert(name.to_owned());
            }
            Decision::Fixed(rule) => {
                let answer =
                    answer(rule.verdict, notes).ok_or_else(|| source.refuse_action(rule.index, name))?;
                drop_in.answered.insert(name.to_owned(), answer);
            }
            Decision::ByArguments(rules) => {
                let families = (name == "socket" && !source.resolved.default.executes())
                    .then(|| families::restricted(&rules))
                    .flatten();
                // A call that no arguments make allowed must not become one that is.
                if families.is_none() && !(source.options.widen && may_execute) {
                    return Err(source.refuse_arguments(rules[0].index, name));
                }
                if families.is_none() {
                    drop_in.widened.insert(name.to_owned());
                }
                drop_in.families = drop_in.families.or(families);
                drop_in.allowed.insert(name.to_owned());
            }
        }
    }
    Ok(drop_in)
}

/// What systemd calls a way to deny.
fn answer(verdict: Verdict, notes: &mut Vec<Note>) -> Option<String> {
    match verdict {
        Verdict::Errno(code) => code.to_string().parse::<Errno>().ok().map(|errno| errno.to_string()),
        Verdict::KillProcess => Some("kill".to_owned()),
        Verdict::KillThread => {
            if !notes.contains(&Note::KillsProcess) {
                notes.push(Note::KillsProcess);
            }
            Some("kill".to_owned())
        }
        _ => None,
    }
}

/// systemd's names of architectures (`systemd.unit(5)`, `ConditionArchitecture=`), the native one first.
fn architectures(source: &Source<'_>, notes: &mut Vec<Note>) -> Vec<String> {
    let mut names = vec!["native".to_owned()];
    for token in &source.resolved.architectures[1..] {
        match token.as_str() {
            "SCMP_ARCH_X86_64" => names.push("x86-64".to_owned()),
            "SCMP_ARCH_AARCH64" => names.push("arm64".to_owned()),
            "SCMP_ARCH_PPC64LE" => names.push("ppc64-le".to_owned()),
            "SCMP_ARCH_MIPSEL" => names.push("mips-le".to_owned()),
            "SCMP_ARCH_MIPSEL64" => names.push("mips64-le".to_owned()),
            "SCMP_ARCH_MIPS64N32" => names.push("mips64-n32".to_owned()),
            "SCMP_ARCH_MIPSEL64N32" => names.push("mips64-le-n32".to_owned()),
            "SCMP_ARCH_M68K" | "SCMP_ARCH_SH" | "SCMP_ARCH_SHEB" => {
                notes.push(Note::ArchitectureLeftOut { token: token.to_string() });
            }
            other => names.push(other.trim_start_matches("SCMP_ARCH_").to_ascii_lowercase()),
        }
    }
    names
}

/// An assignment; a long one becomes several, which systemd merges. None without words: an empty one would reset.
fn line(text: &mut String, key: &str, words: &[String]) {
    let mut width = 0;
    for word in words {
        if width == 0 || width + 1 + word.len() > WIDTH {
            if width > 0 {
                text.push('\n');
            }
            // Writing to a string cannot fail.
            let _ = write!(text, "{key}{word}");
            width = key.len() + word.len();
        } else {
            let _ = write!(text, " {word}");
            width += 1 + word.len();
        }
    }
    if !words.is_empty() {
        text.push('\n');
    }
}
