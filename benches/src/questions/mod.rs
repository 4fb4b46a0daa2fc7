//! The questions, in the order in which they are asked.

use crate::context::Context;
use crate::table::Row;

mod bystander;
mod contained;
mod crowd;
mod ending;
mod hook;
mod hot;
mod live;
mod loads;
mod loss;
mod memory;
mod options;
mod podman;
pub mod pure;
mod size;
mod startup;

/// A question, and how it is answered.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// A word for the command line.
    pub name: &'static str,
    /// The question itself.
    pub text: &'static str,
    /// What is measured, and how.
    pub how: &'static str,
    /// Whether the answer needs something to be traced.
    pub traces: bool,
    /// Measures.
    pub ask: fn(&Context) -> anyhow::Result<Vec<Row>>,
}

/// All questions.
pub const QUESTIONS: &[Question] = &[
    hot::QUESTION,
    bystander::QUESTION,
    crowd::QUESTION,
    contained::QUESTION,
    options::QUESTION,
    live::QUESTION,
    loads::QUESTION,
    startup::QUESTION,
    ending::QUESTION,
    podman::QUESTION,
    hook::QUESTION,
    memory::QUESTION,
    loss::QUESTION,
    pure::QUESTION,
    size::QUESTION,
];
