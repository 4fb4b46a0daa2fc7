//! `seccomp-trace trace` beside strace, in the same run: strace outside, ours inside, line by line.
//!
//! What strace prints and we cannot, because it stands in memory that a live view does not read, is taken out of its
//! lines; `docs/trace.md` has the list.

use std::collections::BTreeMap;
use std::process::Command;

use crate::{Finished, finish, scratch, seccomp_trace};

/// The lines of one thread, those of a call that was interrupted by others' put together.
pub type Lines = Vec<String>;

/// Reads a log of `-f -o FILE`. Columns are not compared: spaces before the equals sign become one.
#[must_use]
pub fn lines_by_thread(log: &str) -> BTreeMap<u32, Lines> {
    let mut threads: BTreeMap<u32, Lines> = BTreeMap::new();
    let mut open: BTreeMap<u32, String> = BTreeMap::new();
    for line in log.lines() {
        let (tid, rest) = line.split_once(' ').unwrap_or_else(|| panic!("no thread: {line:?}"));
        let tid = tid.parse().unwrap_or_else(|_| panic!("no thread: {line:?}"));
        let rest = rest.trim_start();
        if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            open.insert(tid, begun.to_owned());
            continue;
        }
        let whole = match rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>")) {
            Some((_, end)) => open.remove(&tid).unwrap_or_default() + end,
            None => rest.to_owned(),
        };
        let whole = match whole.rsplit_once(" = ") {
            Some((call, result)) => format!("{} = {result}", call.trim_end()),
            None => whole,
        };
        threads.entry(tid).or_default().push(whole);
    }
    threads
}

/// Takes out of a line of strace's what we do not show.
fn comparable(line: &str) -> String {
    let mut line = line.to_owned();
    // Times of a child, the number of directory entries, the mask that a handler's frame holds, where clone3 stored
    // the child's number.
    cut(&mut line, ", si_utime=", "}");
    cut(&mut line, " => {parent_tid=", ", 88)");
    if line.starts_with("rt_sigreturn(") {
        cut(&mut line, "{mask=", ")");
    }
    if line.starts_with("getdents64(") {
        cut(&mut line, " /* ", ", ");
    }
    cut(&mut line, " /* unreadable", ",");
    line
}

/// Removes what lies between `from`, with it, and the next `to`.
fn cut(line: &mut String, from: &str, to: &str) {
    if let Some(start) = line.find(from)
        && let Some(length) = line[start..].find(to)
    {
        line.replace_range(start..start + length, "");
    }
}

/// What both saw of one run.
#[derive(Debug)]
pub struct Side {
    /// Our lines by thread.
    pub ours: BTreeMap<u32, Lines>,
    /// How the run ended.
    pub finished: Finished,
}

/// Runs `command` under both with the same `options`, and panics with the first line that they do not agree on.
///
/// Threads are compared one by one under their numbers, which are the same where tests run in the initial pid
/// namespace, or strace and we in one.
#[must_use]
pub fn same_lines_as_strace(options: &[&str], command: &[&str]) -> Side {
    let folder = scratch();
    let (theirs, ours) = (folder.path().join("strace"), folder.path().join("ours"));
    let finished = finish(
        Command::new("strace")
            .args(["-f", "-o"])
            .arg(&theirs)
            .args(options)
            .arg("--")
            .arg(seccomp_trace())
            .args(["trace", "-q", "-o"])
            .arg(&ours)
            .args(options)
            .arg("--")
            .args(command)
            // An environment that we count in full, also for an exec that fails.
            .env_clear()
            .envs(["HOME", "PATH"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))),
    )
    .success();
    let read = |path| {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("no log: {error}"));
        lines_by_thread(&String::from_utf8(bytes).expect("everything but ASCII is escaped"))
    };
    let (mut theirs, ours): (BTreeMap<_, _>, BTreeMap<u32, Lines>) = (read(&theirs), read(&ours));
    assert!(!ours.is_empty(), "nothing was printed: {finished:#?}");
    let mut found_launcher = false;
    for (tid, lines) in &ours {
        let mut expected =
            theirs.remove(tid).unwrap_or_else(|| panic!("strace has no thread {tid}: {lines:#?}"));
        // The launcher's own calls come before the command's exec; where that is not shown, in the command's first thread
        // before all that is compared.
        let ran_launcher = expected.len() > lines.len() && !std::mem::replace(&mut found_launcher, true);
        if let Some(exec) = lines.first().filter(|line| line.starts_with("execve(")) {
            let start = expected.iter().position(|line| line == exec);
            expected.drain(..start.unwrap_or_else(|| panic!("strace has not this exec: {exec}")));
        } else if ran_launcher {
            expected.drain(..expected.len() - lines.len());
        }
        for (index, (line, expected)) in lines.iter().zip(&expected).enumerate() {
            let (line, expected) = (comparable(line), comparable(expected));
            assert_eq!(line, expected, "thread {tid}, line {index}: ours, and strace's");
        }
        assert_eq!(lines.len(), expected.len(), "thread {tid}: {:#?}", lines.last().zip(expected.last()));
    }
    Side { ours, finished }
}

/// Runs `command` under `trace` with `-o` and these options; it must end with 0. What was written, and the end.
#[must_use]
pub fn traced(options: &[&str], command: &[&str]) -> (String, Finished) {
    let folder = scratch();
    let log = folder.path().join("log");
    let finished = finish(
        Command::new(seccomp_trace()).args(["trace", "-o"]).arg(&log).args(options).arg("--").args(command),
    )
    .success();
    let bytes = std::fs::read(&log).unwrap_or_else(|error| panic!("no log: {error}: {finished:#?}"));
    (String::from_utf8(bytes).expect("everything but ASCII is escaped"), finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_in_two_lines_is_one() {
        let log = "7 read(0,  <unfinished ...>\n8 +++ exited with 0 +++\n7 <... read resumed>\"\\n\", 10)       = 1\n";
        let threads = lines_by_thread(log);
        assert_eq!(threads[&7], ["read(0, \"\\n\", 10) = 1"]);
        assert_eq!(threads[&8], ["+++ exited with 0 +++"]);
    }

    #[test]
    fn only_what_cannot_be_known_is_left_out() {
        assert_eq!(comparable("rt_sigreturn({mask=[]}) = 0"), "rt_sigreturn() = 0");
        assert_eq!(comparable("getdents64(3, 0x1 /* 2 entries */, 9) = 8"), "getdents64(3, 0x1, 9) = 8");
        assert_eq!(
            comparable("--- SIGCHLD {si_status=0, si_utime=1 /* 0.01 s */, si_stime=0} ---"),
            "--- SIGCHLD {si_status=0} ---"
        );
        assert_eq!(
            comparable("execve(\"a\", [], 0x1 /* 2 vars */) = 0"),
            "execve(\"a\", [], 0x1 /* 2 vars */) = 0"
        );
    }
}
