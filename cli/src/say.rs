//! What is said to the user. A stream that cannot be written changes nothing about what was done: the status tells.

use std::fmt;
use std::io::Write;

use seccomp_trace_core::is_unprintable;

/// A line on standard error, with the program's name.
macro_rules! say {
    ($($arg:tt)*) => { $crate::say::line(format_args!($($arg)*)) };
}
pub(crate) use say;

/// See [`say!`].
pub(crate) fn line(text: fmt::Arguments<'_>) {
    raw(&format!("seccomp-trace: {}\n", harmless(&text.to_string())));
}

/// Text on standard error, as it is.
pub(crate) fn raw(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// A text that can quote files and tracees without doing more on a terminal than stand there.
fn harmless(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = is_unprintable(c) && c != '\n';
            let (plain, escaped) = if escape { (None, Some(c.escape_default())) } else { (Some(c), None) };
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_cannot_reach_the_terminal() {
        assert_eq!(harmless("at \u{1b}[31mRED\u{202e}\nnext"), "at \\u{1b}[31mRED\\u{202e}\nnext");
    }
}
