//! Benchmarks that answer questions: how much dearer does tracing make a syscall, a build, a start, an end; what memory
//! does it take; what does it lose?
//!
//! Each question is a module of [`questions`]: it says what is measured and how, and gives rows. Everything that is
//! compared is measured in one run and in turn (A B C A B C …), so that a busy machine slows all of it; what counts is
//! the median of the ratios of the rounds. [`report()`] asks them all and writes one document.

pub mod context;
pub mod floor;
pub mod held;
pub mod machine;
pub mod questions;
pub mod report;
pub mod stats;
pub mod table;
pub mod tracers;

pub use context::{Context, Scale};
pub use report::report;
