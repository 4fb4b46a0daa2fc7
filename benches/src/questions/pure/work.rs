//! The pieces of work that are measured: by the table, and one at a time by `cargo bench --bench pure`.

use std::hint::black_box;

use anyhow::Context as _;
use seccomp_trace_core::{Arch, Recording, Syscall};
use seccomp_trace_profile::{
    Combination, Environment, OnConflict, Policy, Profile, check_instances, diff, generate, merge,
};

use super::inputs::{Inputs, Real, capable, meaning};

/// A piece of work.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// What it is.
    pub name: &'static str,
    /// Whether it needs Podman's default profile.
    pub needs_real: bool,
    /// Its target, in milliseconds.
    pub at_most_ms: Option<f64>,
    /// Does it once.
    pub run: fn(&Inputs) -> anyhow::Result<()>,
}

impl Work {
    const fn new(name: &'static str, run: fn(&Inputs) -> anyhow::Result<()>) -> Self {
        Self { name, needs_real: false, at_most_ms: None, run }
    }

    const fn real(name: &'static str, run: fn(&Inputs) -> anyhow::Result<()>) -> Self {
        Self { needs_real: true, ..Self::new(name, run) }
    }
}

/// All of it.
pub const ALL: &[Work] = &[
    Work::new("read a recording of 60 syscalls", read_recording),
    Work::new("generate a profile of it", generate_one),
    Work { at_most_ms: Some(10.0), ..Work::new("generate and check it", generate_and_check) },
    Work::new("simulate 1,000 calls in its compiled filter", simulate),
    Work::real("read Podman's default profile", read_profile),
    Work::real("its meaning, for every call and argument", mean),
    Work::real("diff of it and the generated one", |inputs| compare(&real(inputs)?.ours, inputs)),
    Work::real("diff of it with and without capabilities", |inputs| compare(&real(inputs)?.mighty, inputs)),
    Work::real("union of those two", |inputs| combine(real(inputs)?, Combination::Union)),
    Work::real("intersection of those two", |inputs| combine(real(inputs)?, Combination::Intersection)),
];

fn real(inputs: &Inputs) -> anyhow::Result<&Real> {
    inputs.real.as_ref().context("a real profile")
}

fn read_recording(inputs: &Inputs) -> anyhow::Result<()> {
    black_box(Recording::from_json(&inputs.text)?);
    Ok(())
}

fn generate_one(inputs: &Inputs) -> anyhow::Result<()> {
    let _ = black_box(generate(&inputs.recording, &Policy::default())?);
    Ok(())
}

fn generate_and_check(inputs: &Inputs) -> anyhow::Result<()> {
    let generated = generate(&inputs.recording, &Policy::default())?;
    let report = check_instances(&generated.profile, &generated.instances, &Environment::default())?;
    let _ = black_box(report);
    Ok(())
}

fn simulate(inputs: &Inputs) -> anyhow::Result<()> {
    for number in 0..1000 {
        black_box(inputs.compiled.verdict(Syscall::new(Arch::X86_64, number % 400), [0; 6]));
    }
    Ok(())
}

fn read_profile(inputs: &Inputs) -> anyhow::Result<()> {
    black_box(Profile::from_json(&real(inputs)?.text)?);
    Ok(())
}

fn mean(inputs: &Inputs) -> anyhow::Result<()> {
    black_box(meaning(&real(inputs)?.profile, &capable())?);
    Ok(())
}

fn compare(other: &seccomp_trace_profile::Semantics, inputs: &Inputs) -> anyhow::Result<()> {
    black_box(diff(&real(inputs)?.plain, other)?);
    Ok(())
}

fn combine(real: &Real, how: Combination) -> anyhow::Result<()> {
    let both = [real.plain.clone(), real.mighty.clone()];
    black_box(merge(&both, how, OnConflict::Order)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::questions::pure::inputs;

    /// What does nothing, or fails early, is fast.
    #[test]
    fn every_piece_of_work_can_be_done() {
        let inputs = Inputs::new().unwrap();
        for work in ALL.iter().filter(|work| !work.needs_real || inputs.real.is_some()) {
            (work.run)(&inputs).unwrap_or_else(|error| panic!("{}: {error:#}", work.name));
        }
    }

    #[test]
    fn the_recordings_have_sixty_calls_and_differ() {
        let (one, other) = (inputs::recording(0), inputs::recording(1));
        assert_eq!((one.calls().len(), other.calls().len()), (60, 60));
        assert!(one.calls().keys().ne(other.calls().keys()));
    }
}
