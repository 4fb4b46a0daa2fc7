//! What a command can be run under: nothing, `seccomp-trace run`, and the peers.

use std::ffi::OsStr;

use crate::context::{Words, words};
use crate::machine::which;

/// How a command line is made of a command's.
#[derive(Debug, Clone, Default)]
pub struct Tracer {
    before: Words,
    /// Whether the command has to be one word.
    joined: bool,
}

impl Tracer {
    /// The command by itself.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Behind these words.
    pub fn before<W: AsRef<OsStr>>(before: impl IntoIterator<Item = W>) -> Self {
        Self { before: words(before), joined: false }
    }

    /// `seccomp-trace run -q` with these options. The profile is made, and thrown away.
    #[must_use]
    pub fn run(options: &[&str]) -> Self {
        Self::ours("run", &[&["-q", "-o", "/dev/null"], options].concat())
    }

    /// A verb of `seccomp-trace` that runs a command, with these options.
    #[must_use]
    pub fn ours(verb: &str, options: &[&str]) -> Self {
        let mut before = vec![seccomp_trace_tests::seccomp_trace().into_os_string()];
        before.extend(words([verb]));
        before.extend(words(options));
        before.extend(words(["--"]));
        Self { before, joined: false }
    }

    /// The command line that runs `command` under it.
    #[must_use]
    pub fn line(&self, command: Words) -> Words {
        let mut line = self.before.clone();
        if self.joined {
            line.push(command.join(OsStr::new(" ")));
        } else {
            line.extend(command);
        }
        line
    }
}

/// A program that does something similar, and that we are compared with where it is installed.
#[derive(Debug)]
pub struct Peer {
    /// How it is called in the table.
    pub name: &'static str,
    words: &'static [&'static str],
    joined: bool,
    /// For one call that we could make of a loop in some time, it makes so many fewer.
    pub slower: u64,
}

/// What records which syscalls are made, or counts them, with what everybody has.
pub const PEERS: &[Peer] = &[
    Peer {
        name: "strace -f -c",
        words: &["strace", "-f", "-c", "-o", "/dev/null", "--"],
        joined: false,
        slower: 50,
    },
    Peer {
        name: "perf trace -s",
        words: &["perf", "trace", "-s", "-o", "/dev/null", "--"],
        joined: false,
        slower: 50,
    },
    Peer {
        name: "bpftrace, count() by number",
        words: &[
            "bpftrace",
            "-e",
            "tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @[args->id] = count(); }",
            "-c",
        ],
        joined: true,
        slower: 1,
    },
];

impl Peer {
    /// The program's name.
    #[must_use]
    pub fn program(&self) -> &'static str {
        self.words.first().copied().unwrap_or_default()
    }

    /// Whether it is installed.
    #[must_use]
    pub fn is_installed(&self) -> bool {
        which(self.program()).is_some()
    }

    /// How a command is run under it.
    #[must_use]
    pub fn tracer(&self) -> Tracer {
        Tracer { before: words(self.words), joined: self.joined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// bpftrace takes the command as one argument, the others take its words.
    #[test]
    fn a_command_stands_behind_its_tracer() {
        assert_eq!(Tracer::before(["a", "--"]).line(words(["b", "c"])), words(["a", "--", "b", "c"]));
        let bpftrace = PEERS.iter().find(|peer| peer.joined).expect("bpftrace").tracer();
        assert_eq!(bpftrace.line(words(["b", "c"])).last(), words(["b c"]).first());
        assert_eq!(Tracer::none().line(words(["b"])), words(["b"]));
    }
}
