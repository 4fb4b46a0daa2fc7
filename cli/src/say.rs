//! What is said to the user. A stream that cannot be written changes nothing about what was done: the status tells.

use std::fmt;
use std::io::Write;

use seccomp_trace_core::is_unprintable;

/// A line on standard error, with the program's name.
macro_rules! say {
    ($($arg:tt)*) => { $crate::say::line(format_args!($($arg)*)) };
}
pub(crate) use say;

/// A line on standard output. Where that cannot be written, the subcommand has failed and ends here: silently where a
/// reader has gone, as in `… | head`.
macro_rules! out {
    ($($arg:tt)*) => { $crate::say::output(format_args!($($arg)*)) };
}
pub(crate) use out;

/// See [`out!`].
pub(crate) fn output(text: fmt::Arguments<'_>) {
    document(&harmless(&text.to_string()));
}

/// JSON on standard output, as [`out!`] has it, but as it is: its strings have escapes of their own.
pub(crate) fn document(text: &str) {
    if let Err(error) = std::io::stdout().lock().write_all(format!("{text}\n").as_bytes()) {
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            say!("cannot write to standard output: {error}");
        }
        std::process::exit(TROUBLE);
    }
}

/// The status of a subcommand that failed.
const TROUBLE: i32 = 2;

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
