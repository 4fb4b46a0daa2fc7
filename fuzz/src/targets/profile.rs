//! Profiles of every dialect, and all that is made of them.

use std::collections::BTreeSet;

use seccomp_trace_core::Arch;
use seccomp_trace_profile::{
    Baseline, Combination, Compiled, Environment, ExportOptions, Format, Input, KernelVersion, OnConflict,
    Profile, Resolved, Semantics, diff, explain, export, lint, merge, subset,
};
use serde_json::Value;

use super::understood;

/// libseccomp takes milliseconds for the names of a real profile: only small ones are compiled here.
const NAMES_TO_COMPILE: usize = 24;

/// What is read is written back without loss; it means the same as itself; every form of it is a form or an error.
pub fn target(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Some(profile) = understood(Profile::from_json(text)) else { return false };
    assert_lossless(text, &profile);
    let environment = Environment {
        caps: BTreeSet::from(["CAP_CHOWN".to_owned(), "CAP_SYS_CHROOT".to_owned()]),
        kernel: KernelVersion { major: 6, minor: 1 },
    };
    // It compiles what it looks at.
    if profile.rules().iter().map(|rule| rule.names().count()).sum::<usize>() <= NAMES_TO_COMPILE {
        for finding in lint(&profile, &environment, Baseline::Any) {
            assert!(!finding.code.to_string().is_empty());
        }
    }
    for native in [Arch::X86_64, Arch::Aarch64] {
        if let Some(resolved) = understood(Resolved::new(&profile, &environment, native)) {
            meaning(&profile, &resolved, &environment);
            let _ = explain(&profile, &resolved, &[], &[]);
            compile(&resolved);
        }
        exports(&profile, ExportOptions { environment: environment.clone(), ..ExportOptions::new(native) });
    }
    true
}

fn assert_lossless(text: &str, profile: &Profile) {
    let written = profile.to_json();
    let again = Profile::from_json(&written).expect("what was written");
    assert_eq!(again, *profile);
    assert_eq!(again.to_json(), written);
    let value = |text: &str| serde_json::from_str::<Value>(text).expect("a profile is JSON");
    assert_eq!(value(&written), value(text), "the same JSON value");
    assert!(matches!(Input::from_json(text), Ok(Input::Profile(_)) | Err(_)));
}

/// A profile differs in nothing from itself, and merged with itself it decides the same.
fn meaning(profile: &Profile, resolved: &Resolved<'_>, environment: &Environment) {
    let Some(meaning) = understood(Semantics::new(profile, resolved)) else { return };
    if let Some(diff) = understood(diff(&meaning, &meaning)) {
        assert!(diff.changes.is_empty(), "{diff:?}");
    }
    if let Some(subset) = understood(subset(&meaning, &meaning)) {
        assert_eq!(subset, Ok(()));
    }
    for how in [Combination::Union, Combination::Intersection] {
        let both = [meaning.clone(), meaning.clone()];
        let Some(merged) = understood(merge(&both, how, OnConflict::Refuse)) else { continue };
        let merged = merged.profile;
        let again = Resolved::new(&merged, environment, resolved.native).expect("a merged profile");
        let again = Semantics::new(&merged, &again).expect("a merged profile means something");
        if let Some(diff) = understood(diff(&meaning, &again)) {
            assert!(diff.changes.is_empty(), "{diff:?}");
        }
    }
}

fn compile(resolved: &Resolved<'_>) {
    if resolved.rules.iter().map(|rule| rule.names.len()).sum::<usize>() > NAMES_TO_COMPILE {
        return;
    }
    for arch in resolved.arches() {
        if let Some(compiled) = understood(Compiled::new(resolved, arch)) {
            assert_eq!(compiled.arch(), arch);
        }
    }
}

/// The dialects that this project reads are read back, and written again they do not change.
fn exports(profile: &Profile, options: ExportOptions) {
    for widen in [false, true] {
        let options = ExportOptions { widen, ..options.clone() };
        for format in [Format::Oci, Format::Docker, Format::Kubernetes, Format::Systemd] {
            let Some(exported) = understood(export(profile, format, &options)) else { continue };
            let text = String::from_utf8(exported.bytes).expect("these are texts");
            if format.is_profile() {
                let again = Profile::from_json(&text).expect("an exported profile");
                let twice = export(&again, format, &options).expect("an exported profile is exported");
                assert_eq!(String::from_utf8(twice.bytes).as_deref(), Ok(text.as_str()));
            }
        }
        for format in [Format::Seccompiler, Format::List] {
            let _ = understood(export(profile, format, &options));
        }
    }
}
