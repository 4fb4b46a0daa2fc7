//! A call as a line, as strace prints it.

use std::time::Duration;

use crate::decode::text;
use crate::decode::value::Value;
use crate::decode::{Argument, Decoded, Ended, Failure};

use super::style::{Piece, Style};

/// Where a line about a call begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From<'a> {
    /// At the call's entry.
    Entry,
    /// Where a line that said that it is unfinished stopped.
    Resumed,
    /// It goes on with a call that a signal had interrupted.
    Interrupted(&'a str),
}

/// The line, without what stands before it. `column` is where that ended.
pub(crate) fn call(name: &str, decoded: &Decoded, from: From<'_>, style: Style, column: usize) -> String {
    let mut line = Line { text: String::new(), width: column, style };
    let arguments = &decoded.arguments;
    let late = arguments.iter().position(|argument| argument.late).unwrap_or(arguments.len());
    let finished = !matches!(decoded.ended, Ended::Pending);
    let ends = arguments.len();
    match from {
        From::Entry => {
            line.piece(Piece::Name, name);
            line.plain("(");
            // What is not known at the end either is left out.
            let until = if matches!(decoded.ended, Ended::Pending | Ended::Never) { late } else { ends };
            line.arguments(&arguments[..until], until < ends);
        }
        From::Resumed => {
            line.plain(&format!("<... {name} resumed>"));
            if !matches!(decoded.ended, Ended::Never) {
                line.arguments(&arguments[late..], false);
            }
        }
        From::Interrupted(name) => {
            line.plain(&format!("restart_syscall(<... resuming interrupted {name} ...>"));
        }
    }
    if !finished {
        line.plain(" <unfinished ...>");
        return line.text;
    }
    if matches!(decoded.ended, Ended::Never) && (late < ends || from == From::Resumed) {
        line.plain(" <unfinished ...>");
    }
    line.plain(")");
    line.result(&decoded.ended);
    line.text
}

struct Line {
    text: String,
    /// Columns so far, without the bytes that only colour.
    width: usize,
    style: Style,
}

impl Line {
    fn plain(&mut self, text: &str) {
        self.text.push_str(text);
        self.width += text.len();
    }

    fn piece(&mut self, piece: Piece, text: &str) {
        self.style.push(&mut self.text, piece, text);
        self.width += text.len();
    }

    fn arguments(&mut self, arguments: &[Argument], more: bool) {
        let mut text = String::new();
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            if argument.named {
                text.push_str(argument.name);
                text.push('=');
            }
            text::push(&mut text, &argument.value, self.style.hex);
        }
        if more && !arguments.is_empty() {
            text.push_str(", ");
        }
        self.plain(&text);
    }

    fn result(&mut self, ended: &Ended) {
        // One space at least.
        self.plain(" ");
        let missing = self.style.column.saturating_sub(self.width);
        self.plain(&" ".repeat(missing));
        self.plain("= ");
        match ended {
            Ended::Returned { value, remark, duration, .. } => {
                self.value(value, remark.as_deref());
                self.duration(*duration);
            }
            Ended::Failed { failure, duration, .. } => {
                self.failure(failure);
                self.duration(*duration);
            }
            Ended::Skipped { value, failure, .. } => {
                match failure {
                    Some(failure) => self.failure(failure),
                    None => self.value(value, None),
                }
                self.piece(Piece::Failure, " (NOT EXECUTED)");
            }
            Ended::Pending | Ended::Never => self.plain("?"),
        }
    }

    fn value(&mut self, value: &Value, remark: Option<&str>) {
        let mut text = String::new();
        text::push(&mut text, value, self.style.hex);
        if let Some(remark) = remark {
            text.push_str(&format!(" ({remark})"));
        }
        self.plain(&text);
    }

    fn failure(&mut self, failure: &Failure) {
        let value = if failure.internal { "?" } else { "-1" };
        let text = match failure.name {
            Some(name) => format!("{value} {name} ({})", failure.meaning),
            None => format!("{value} (errno {})", failure.number),
        };
        self.piece(Piece::Failure, &text);
    }

    fn duration(&mut self, duration: Duration) {
        if self.style.durations {
            self.plain(&format!(" <{}.{:06}>", duration.as_secs(), duration.subsec_micros()));
        }
    }
}
