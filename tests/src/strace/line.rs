//! One line of `strace -f -n -o FILE`.

/// A line of the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The thread, as strace's pid namespace numbers it.
    pub(super) tid: u32,
    pub(super) what: What<'a>,
}

/// What a line tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum What<'a> {
    /// A call was entered; `rest` is what follows the name, with the result where it has one already.
    Call { nr: i32, name: &'a str, rest: &'a str },
    /// A call whose entry has a line of its own returned.
    Resumed { name: &'a str, rest: &'a str },
    /// A thread took the place of the leader, in whose name this line is, by its exec.
    Superseded { by: u32 },
    /// A signal, an exit, or a call that strace itself did not learn the number of.
    Other,
}

impl<'a> Line<'a> {
    /// Reads a line; `None` where it has not this form.
    pub(super) fn parse(line: &'a str) -> Option<Self> {
        let (tid, rest) = line.split_once(' ')?;
        let tid = tid.parse().ok()?;
        let (number, rest) = rest.trim_start().strip_prefix('[')?.split_once("] ")?;
        Some(Self { tid, what: What::parse(number.trim(), rest)? })
    }
}

impl<'a> What<'a> {
    fn parse(number: &str, rest: &'a str) -> Option<Self> {
        if let Some(thread) = rest.strip_prefix("+++ superseded by execve in pid ") {
            return Some(Self::Superseded { by: thread.strip_suffix(" +++")?.parse().ok()? });
        }
        if rest.starts_with("+++") || rest.starts_with("---") || rest.starts_with("???") {
            return Some(Self::Other);
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (name, rest) = resumed.split_once(" resumed>")?;
            return Some(Self::Resumed { name, rest });
        }
        let (name, rest) = rest.split_once('(')?;
        // strace has no number in the brackets for -1, and the bits in the name of every number without a name.
        let nr = match name.strip_prefix("syscall_0x") {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the kernel looks at the low 32 bits, signed"
            )]
            Some(bits) => u64::from_str_radix(bits, 16).ok()? as i32,
            None => number.parse().ok()?,
        };
        Some(Self::Call { nr, name, rest })
    }
}

/// Whether a call returned 0, judged by the end of its line.
pub(super) fn returned_zero(rest: &str) -> bool {
    rest.rsplit_once(" = ").is_some_and(|(_, result)| result.trim() == "0")
}

/// The pid that a call returned, in strace's own numbers: `8700`, or `2 /* 8701 in strace's PID NS */`.
pub(super) fn returned_pid(rest: &str) -> Option<u32> {
    let (_, result) = rest.rsplit_once(" = ")?;
    let own = match result.split_once("/* ") {
        Some((_, comment)) => comment.strip_suffix(" in strace's PID NS */")?,
        None => result.trim(),
    };
    own.parse().ok().filter(|pid| *pid > 0)
}

/// The last part of the first string of a call's arguments: the program that an execve names.
pub(super) fn first_file_name(rest: &str) -> Option<&str> {
    let (_, text) = rest.split_once('"')?;
    let (path, _) = text.split_once('"')?;
    path.rsplit('/').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(line: &str) -> What<'_> {
        Line::parse(line).unwrap_or_else(|| panic!("not read: {line}")).what
    }

    #[test]
    fn a_call_has_its_number_and_its_name() {
        let line = Line::parse("8681  [  20] getpid()                   = 8681").unwrap();
        assert_eq!(line.tid, 8681);
        assert!(matches!(line.what, What::Call { nr: 20, name: "getpid", .. }));
    }

    /// Each was printed by strace 6.1 for the tracee `badnr`.
    #[test]
    fn numbers_without_a_name_are_read_from_their_bits() {
        let nr = |line| match what(line) {
            What::Call { nr, .. } => nr,
            other => panic!("{other:?}"),
        };
        assert_eq!(nr("8693  [???] syscall_0xffffffffffffffff(0x7fffaf, 0) = -1 ENOSYS (Function not)"), -1);
        assert_eq!(nr("8693  [ 511] syscall_0x1ff(0x7fffaf, 0) = -1 ENOSYS (Function not implemented)"), 511);
        assert_eq!(nr("8693  [268435455] syscall_0xfffffff(0x7fff) = -1 ENOSYS (Function not)"), 0x0fff_ffff);
    }

    #[test]
    fn what_is_no_call_is_told_apart() {
        assert_eq!(
            what("8707  [  59] +++ superseded by execve in pid 8708 +++"),
            What::Superseded { by: 8708 }
        );
        assert_eq!(what("8707  [ 231] +++ exited with 0 +++"), What::Other);
        assert_eq!(what("8700  [  61] --- SIGCHLD {si_signo=SIGCHLD, si_pid=2} ---"), What::Other);
        assert_eq!(what("8700  [ 0] ????( <unfinished ...>"), What::Other);
        assert_eq!(Line::parse("strace: Process 12 attached"), None);
        assert!(matches!(
            what("8707  [  59] <... execve resumed>)      = 0"),
            What::Resumed { name: "execve", .. }
        ));
    }

    #[test]
    fn a_child_is_known_by_the_number_that_strace_sees() {
        assert_eq!(returned_pid("child_stack=NULL, flags=SIGCHLD) = 8700"), Some(8700));
        assert_eq!(returned_pid(", child_tidptr=0x7f5a) = 2 /* 8701 in strace's PID NS */"), Some(8701));
        assert_eq!(returned_pid(" => {parent_tid=[8708]}, 88) = 8708"), Some(8708));
        assert_eq!(returned_pid(") = -1 EAGAIN (Resource temporarily unavailable)"), None);
        assert_eq!(returned_pid("flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)"), None);
        assert_eq!(returned_pid("child_stack=NULL, flags=SIGCHLD <unfinished ...>"), None);
    }

    #[test]
    fn success_and_program_of_an_execve_are_found() {
        assert!(returned_zero("\"./a = 1\", [\"./a\"], 0x7ff /* 35 vars */) = 0"));
        assert!(!returned_zero(
            "\"./a\", [\"./a\"], 0x7ff /* 35 vars */) = -1 ENOENT (No such file or directory)"
        ));
        assert!(!returned_zero("\"./a\", [\"./a\"], 0x7ff <unfinished ...>"));
        assert_eq!(first_file_name("\"/usr/bin/ls\", [\"ls\"], 0x7ff) = 0"), Some("ls"));
        assert_eq!(first_file_name("\"ls\", [\"ls\"], 0x7ff) = 0"), Some("ls"));
    }
}
