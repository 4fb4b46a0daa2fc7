//! Recordings, their union, and the profiles that are made of them.

use std::sync::LazyLock;

use seccomp_trace_core::Recording;
use seccomp_trace_profile::{Baseline, Environment, Input, Policy, Profile, check_instances, generate};

use super::understood;

/// A recording that everything is merged with.
static OTHER: LazyLock<Recording> = LazyLock::new(|| {
    Recording::from_json(include_str!("../../corpus/recording/sh.json")).expect("a recording of the corpus")
});

/// What is read is written back; merging is a union; the profile that is made of it runs what was recorded.
pub fn target(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Some(recording) = understood(Recording::from_json(text)) else { return false };
    let written = recording.to_json();
    let again = Recording::from_json(&written).expect("what was written");
    assert_eq!(again, recording);
    assert_eq!(again.to_json(), written);
    assert!(matches!(Input::from_json(text), Ok(Input::Recording(_))));
    assert_union(&recording, &OTHER);
    for reason in recording.losses().reasons() {
        assert!(!reason.is_empty());
    }
    generated(&recording, Baseline::Any, false);
    // Compiling takes milliseconds: for one input in sixteen, that the input chooses.
    generated(&recording, Baseline::None, data.iter().fold(0_u8, |sum, byte| sum ^ byte) % 16 == 0);
    true
}

fn assert_union(a: &Recording, b: &Recording) {
    let union = |a: &Recording, b: &Recording| {
        let mut both = a.clone();
        both.merge(b.clone());
        both
    };
    let both = union(a, b);
    assert_eq!(union(a, a), *a, "idempotent");
    assert_eq!(union(b, a), both, "commutative");
    assert_eq!(union(&both, a), both, "absorbing");
    assert!(a.calls().keys().chain(b.calls().keys()).all(|call| both.calls().contains_key(call)));
    assert!(a.runs().keys().chain(b.runs().keys()).all(|run| both.runs().contains_key(run)));
}

fn generated(recording: &Recording, baseline: Baseline, checked: bool) {
    let policy = Policy { baseline, ..Policy::default() };
    let Some(generated) = understood(generate(recording, &policy)) else { return };
    let written = generated.profile.to_json();
    assert_eq!(Profile::from_json(&written).expect("a generated profile"), generated.profile);
    for warning in &generated.warnings {
        assert!(!warning.to_string().is_empty());
    }
    if checked {
        let checked = check_instances(&generated.profile, &generated.instances, &Environment::default());
        if let Err(error) = checked {
            panic!("{error}: {written}");
        }
    }
}
