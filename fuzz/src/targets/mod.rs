//! The targets. Each returns whether it understood its input, which the runner `stable` goes by.

pub mod annotation;
pub mod calls;
pub mod expression;
pub mod filter;
pub mod flags;
pub mod live;
pub mod options;
pub mod profile;
pub mod recording;
pub mod ring;
pub mod state;
pub mod words;

use std::error::Error;

/// A target by name.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Also the name of its folder in `corpus`, and of its file in `dictionaries`.
    pub name: &'static str,
    /// What is run.
    pub run: fn(&[u8]) -> bool,
}

/// Every target.
pub const TARGETS: [Target; 12] = [
    Target { name: "annotation", run: annotation::target },
    Target { name: "calls", run: calls::target },
    Target { name: "expression", run: expression::target },
    Target { name: "filter", run: filter::target },
    Target { name: "flags", run: flags::target },
    Target { name: "live", run: live::target },
    Target { name: "options", run: options::target },
    Target { name: "profile", run: profile::target },
    Target { name: "recording", run: recording::target },
    Target { name: "ring", run: ring::target },
    Target { name: "state", run: state::target },
    Target { name: "words", run: words::target },
];

/// What was read. An error must have a text, as must each of its causes.
fn understood<T, E: Error>(result: Result<T, E>) -> Option<T> {
    result.map_err(|error| check_texts(&error)).ok()
}

fn check_texts(error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        assert!(!error.to_string().is_empty(), "an error that says nothing");
        next = error.source();
    }
}
