//! One line on the terminal that tells how a long run goes, and is gone when it has ended.

use std::io::IsTerminal;
use std::time::Duration;

use nix::libc;
use nix::unistd::{getpgrp, tcgetpgrp};

use crate::say;
use crate::watch::Progress;

/// The line. Whatever else is printed must [`clear`](Self::clear) it first.
#[derive(Debug)]
pub(crate) struct StatusLine {
    shown: bool,
}

impl StatusLine {
    /// `None` where standard error is no terminal that we are in the foreground of.
    pub(crate) fn new() -> Option<Self> {
        Self::is_possible().then_some(Self { shown: false })
    }

    fn is_possible() -> bool {
        let stderr = std::io::stderr();
        stderr.is_terminal() && tcgetpgrp(&stderr) == Ok(getpgrp())
    }

    /// Shows how it goes, in the place of what was shown before. A job that was put into the background keeps silent.
    pub(crate) fn show(&mut self, progress: Progress) {
        if Self::is_possible() {
            let line: String = line(progress).chars().take(usize::from(width()).saturating_sub(1)).collect();
            say::raw(&format!("\r{line}{ERASE}"));
            self.shown = true;
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            say::raw(&format!("\r{ERASE}"));
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Erases to the end of the line: ECMA-48, EL.
const ERASE: &str = "\x1b[K";

fn line(progress: Progress) -> String {
    let Progress { elapsed, nothing_new, processes, syscalls } = progress;
    let noun = if processes == 1 { "process" } else { "processes" };
    format!(
        "seccomp-trace: {}, {processes} {noun}, {syscalls} syscalls, last new one {} ago",
        short(elapsed),
        short(nothing_new)
    )
}

/// A time in as few characters as say it.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s:02}s"),
        (h, m, _) => format!("{h}h{m:02}m"),
    }
}

/// The columns of the terminal; the usual number where it does not say.
fn width() -> u16 {
    // SAFETY: the call fills `size`, plain data for which zero is valid, and keeps no pointer to it.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        if libc::ioctl(libc::STDERR_FILENO, libc::TIOCGWINSZ, &raw mut size) == 0 && size.ws_col > 0 {
            return size.ws_col;
        }
    }
    80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_long_how_many_and_since_when_nothing_is_new() {
        let progress = Progress {
            elapsed: Duration::from_secs(3725),
            nothing_new: Duration::from_secs(65),
            processes: 1,
            syscalls: 45,
        };
        let expected = "seccomp-trace: 1h02m, 1 process, 45 syscalls, last new one 1m05s ago";
        assert_eq!(line(progress), expected);
        assert_eq!(short(Duration::from_millis(9_900)), "9s");
    }
}
