//! What the hook says: the same text on standard error and in the syslog. A container engine shows the first only
//! where the hook fails, and with some runtimes not even then.

use std::ffi::{CStr, CString, OsStr};
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use nix::syslog::{Facility, LogFlags, Priority, Severity, openlog, syslog};
use seccomp_trace_core::is_unprintable;

/// The name under which messages stand where `argv[0]` is empty.
const NAME: &str = "oci-seccomp-bpf-hook";

/// What ends a fatal message.
const REFER: &str = ": please refer to the syslog (e.g., journalctl(1)) for more details";

/// The longest text of a message, in bytes: a datagram that is too large for the socket would be lost as a whole.
const LONGEST: usize = 8 << 10;

/// Where messages go. A syslog that is not there is passed over in silence: so does syslog(3).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log {
    ident: &'static str,
}

impl Log {
    /// Messages stand under the base name of `argv0`.
    pub(crate) fn open(argv0: Option<&OsStr>) -> Self {
        let name = CString::new(ident(argv0)).unwrap_or_default();
        // syslog(3) keeps the pointer.
        let name: &'static CStr = Box::leak(name.into_boxed_c_str());
        // Nothing in it can fail: the name is a C string already.
        let _ = openlog(Some(name), LogFlags::LOG_PID, Facility::LOG_USER);
        Self { ident: name.to_str().unwrap_or(NAME) }
    }

    /// Says why the hook has failed, and gives the status for it.
    #[must_use]
    pub(crate) fn fatal(self, error: &anyhow::Error) -> ExitCode {
        self.write(Severity::LOG_CRIT, &line(&not_missing(&format!("{error:#}")), REFER));
        ExitCode::FAILURE
    }

    /// Says what went wrong where the hook goes on.
    pub(crate) fn error(self, text: fmt::Arguments<'_>) {
        self.write(Severity::LOG_ERR, &line(&text.to_string(), ""));
    }

    /// Says what is done.
    pub(crate) fn info(self, text: fmt::Arguments<'_>) {
        self.write(Severity::LOG_INFO, &line(&text.to_string(), ""));
    }

    fn write(self, severity: Severity, text: &str) {
        // Where nobody listens there is nobody to tell.
        let _ = writeln!(std::io::stderr().lock(), "{}: {text}", self.ident);
        let _ = syslog(Priority::new(severity, Facility::LOG_USER), text);
    }
}

/// The same in words that podman does not search a failed runtime's output for: it would take a file that an annotation
/// names for a missing program of the container, and exit with 127 instead of 126.
fn not_missing(text: &str) -> String {
    text.replace("No such file or directory (os error 2)", "it does not exist")
}

/// The base name of `argv0`, printable.
fn ident(argv0: Option<&OsStr>) -> String {
    let name = argv0.and_then(|word| Path::new(word).file_name()).unwrap_or(OsStr::new(NAME));
    harmless(&name.to_string_lossy())
}

/// A message as one line of bounded length.
fn line(text: &str, end: &str) -> String {
    let mut text = harmless(text);
    if text.len() > LONGEST {
        let kept = (0..=LONGEST).rev().find(|length| text.is_char_boundary(*length)).unwrap_or(0);
        text.truncate(kept);
        text.push('…');
    }
    text + end
}

/// A text that can quote annotations and files without breaking the line it stands in, or a terminal.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            harmless.extend(c.escape_default());
        } else {
            harmless.push(c);
        }
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_stand_under_the_base_name_of_argv0() {
        let ident = |word: &str| ident(Some(OsStr::new(word)));
        assert_eq!(ident("/usr/libexec/oci/hooks.d/my-hook"), "my-hook");
        assert_eq!(ident(""), NAME);
        assert_eq!(ident("/"), NAME);
        assert_eq!(ident("a\nb"), "a\\nb");
        assert_eq!(super::ident(None), NAME);
    }

    /// A second line could be made to look like a message of another program.
    #[test]
    fn a_message_is_one_line_whatever_it_quotes() {
        assert_eq!(line("of:/a\nkernel: \u{1b}[2Jpanic\0", ""), "of:/a\\nkernel: \\u{1b}[2Jpanic\\u{0}");
        assert_eq!(line("a \u{202e}b", "."), "a \\u{202e}b.");
        assert_eq!(line("\"ü\" 100% \\n", ""), "\"ü\" 100% \\n");
    }

    #[test]
    fn a_missing_file_is_not_said_in_the_words_of_a_missing_program() {
        let error = std::fs::read("/no/such/file").unwrap_err().to_string();
        assert_eq!(not_missing(&format!("cannot read x: {error}")), "cannot read x: it does not exist");
    }

    /// The end tells where to look, and must not be what is cut off.
    #[test]
    fn a_long_message_is_cut_and_keeps_its_end() {
        let cut = line(&"ü".repeat(LONGEST), REFER);
        assert!(cut.ends_with(&format!("ü…{REFER}")), "{}", &cut[cut.len() - 100..]);
        assert_eq!(cut.len(), LONGEST + '…'.len_utf8() + REFER.len());
        assert_eq!(line("short", REFER), format!("short{REFER}"));
    }
}
