//! How lines look.

use std::io::IsTerminal;

use crate::decode::text::Hex;

/// What the user chose about the look of lines.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    pub(crate) hex: Hex,
    /// Bytes that are shown of buffers whose reads are not cut to as many.
    pub(crate) string_limit: usize,
    /// The column in which results begin.
    pub(crate) column: usize,
    /// How long each call took.
    pub(crate) durations: bool,
    pub(crate) colours: bool,
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    Name,
    Failure,
    Signal,
    End,
}

impl Style {
    /// Appends a piece, in its colour.
    pub(crate) fn push(self, out: &mut String, piece: Piece, text: &str) {
        if !self.colours {
            out.push_str(text);
            return;
        }
        // The eight colours of every terminal: they are readable on dark and light.
        let code = match piece {
            Piece::Name => "1",
            Piece::Failure => "31",
            Piece::Signal => "33",
            Piece::End => "36",
        };
        out.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m"));
    }
}

/// Whether lines on standard error are coloured (<https://no-color.org>).
pub(crate) fn colours(when: &str, to_file: bool) -> bool {
    match when {
        "always" => true,
        "never" => false,
        _ => {
            let forbidden = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
            !to_file && !forbidden && !dumb && std::io::stderr().is_terminal()
        }
    }
}
