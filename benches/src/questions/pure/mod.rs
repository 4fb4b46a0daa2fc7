//! How long does what needs no kernel take?

pub mod inputs;
pub mod work;

use std::hint::black_box;
use std::time::Instant;

use seccomp_trace_core::Recording;

use super::Question;
use crate::context::Context;
use crate::stats::quartiles;
use crate::table::{Row, Unit};
use inputs::{Inputs, recording};

pub(super) const QUESTION: Question = Question {
    name: "pure",
    text: "How long does what needs no kernel take?",
    how: "10,000 recordings of 60 syscalls each are read as JSON and merged, one by one. A profile is generated of one of \
          them, compiled with libseccomp, and every call put through its filter. Profiles are compared and merged; the \
          real one is Podman's default. `cargo bench --bench pure` measures the same functions one at a time.",
    traces: false,
    ask,
};

fn ask(context: &Context) -> anyhow::Result<Vec<Row>> {
    let many = context.scale.pick(10_000, 200);
    let mut rows = recordings(many)?;
    let inputs = Inputs::new()?;
    let rounds = context.scale.pick(21, 2);
    for work in work::ALL {
        if work.needs_real && inputs.real.is_none() {
            let why = format!("{} is missing", inputs::REAL);
            rows.push(Row::left_out(work.name, why));
            continue;
        }
        let mut millis = Vec::new();
        for _ in 0..rounds {
            let begin = Instant::now();
            (work.run)(&inputs)?;
            millis.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        let row = Row::new(work.name, Unit::Milliseconds, quartiles(&millis));
        rows.push(match work.at_most_ms {
            Some(limit) => row.at_most(limit),
            None => row,
        });
    }
    Ok(rows)
}

/// Recordings are read one after the other, and dropped when they are merged; making their texts does not count.
fn recordings(many: u32) -> anyhow::Result<Vec<Row>> {
    let (mut reading, mut merging) = (0.0, 0.0);
    let mut merged = Recording::default();
    for number in 0..many {
        let text = recording(number).to_json();
        let begin = Instant::now();
        let recording = Recording::from_json(&text)?;
        reading += begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        merged.merge(recording);
        merging += begin.elapsed().as_secs_f64();
    }
    let merged = black_box(merged);
    anyhow::ensure!(merged.runs().len() == many as usize, "a run was lost");
    Ok(vec![
        Row::single(format!("reading {many} recordings"), Unit::Seconds, reading),
        Row::single(format!("merging {many} recordings"), Unit::Seconds, merging).at_most(1.0),
    ])
}
