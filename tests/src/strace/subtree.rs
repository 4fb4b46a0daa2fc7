//! The calls of one command and its descendants, picked out of the log of a whole run.

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{Arch, Syscall};

use super::line::{Line, What, first_file_name, returned_pid, returned_zero};

/// Why a log cannot serve as an oracle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Confused {
    /// A line is of no known form.
    #[error("line {number} is of no known form: {line:?}")]
    Line {
        /// Its number, from 1.
        number: usize,
        /// The line.
        line: String,
    },
    /// No process but the tracer executed the command.
    #[error("no child of the tracer executed {0}")]
    NotExecuted(String),
    /// A thread of whom no clone tells.
    #[error("thread {0} came from nowhere: no clone, fork or vfork returned it")]
    Orphan(u32),
}

/// The calls that the command named by `program` and its descendants made after its exec.
///
/// `log` is of `strace -f -n -qq --decode-pids=pidns -o`, whose first process is the tracer that starts the command.
///
/// # Errors
/// [`Confused`], with the place.
pub fn calls_of_command(log: &str, program: &str) -> Result<BTreeSet<Syscall>, Confused> {
    let Subtree { lines, members, exec } = Subtree::of_command(log, program)?;
    let mut calls = BTreeSet::new();
    let mut abis = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let What::Call { nr, name, .. } = line.what else { continue };
        // A launcher may have threads, which die in the exec.
        if members.contains(&line.tid) && index > exec && name != "restart_syscall" {
            let abi = abis.entry(line.tid).or_insert(NATIVE);
            *abi = abi_of(nr, name).unwrap_or(*abi);
            calls.insert(Syscall::new(*abi, nr));
        }
    }
    Ok(calls)
}

/// The lines of a log, and which of them are a command's.
pub(super) struct Subtree<'a> {
    pub(super) lines: Vec<Line<'a>>,
    /// The command's threads and descendants.
    pub(super) members: BTreeSet<u32>,
    /// The line where its exec succeeded.
    pub(super) exec: usize,
}

impl<'a> Subtree<'a> {
    pub(super) fn of_command(log: &'a str, program: &str) -> Result<Self, Confused> {
        let mut lines = Vec::new();
        for (index, line) in log.lines().enumerate() {
            lines.push(
                Line::parse(line)
                    .ok_or_else(|| Confused::Line { number: index + 1, line: line.to_owned() })?,
            );
        }
        let program = program.rsplit('/').next().unwrap_or(program);
        let not_executed = || Confused::NotExecuted(program.to_owned());
        let tracer = lines.first().ok_or_else(not_executed)?.tid;
        let (command, exec) = executed(&lines, tracer, program).ok_or_else(not_executed)?;
        let children = children(&lines);
        let everybody = closure(&children, tracer);
        // The call that made a launcher's thread may never return: the exec of another thread ends both.
        let orphan = lines
            .iter()
            .skip(exec)
            .find(|line| matches!(line.what, What::Call { .. }) && !everybody.contains(&line.tid));
        if let Some(orphan) = orphan {
            return Err(Confused::Orphan(orphan.tid));
        }
        let members = closure(&children, command);
        Ok(Self { lines, members, exec })
    }
}

pub(super) const NATIVE: Arch = match Arch::native() {
    Some(arch) => arch,
    None => Arch::X86_64,
};

/// The ABI whose table has this name under this number; `None` where both have (the numbers from 424 on are the same
/// everywhere) or neither: then it is the ABI of the thread's last call.
pub(super) fn abi_of(nr: i32, name: &str) -> Option<Arch> {
    let compat = if NATIVE == Arch::Aarch64 { Arch::Arm } else { Arch::X86 };
    let fits = |arch| Syscall::new(arch, nr).name() == Some(name);
    match (fits(NATIVE), fits(compat)) {
        (true, false) => Some(NATIVE),
        (false, true) => Some(compat),
        _ => None,
    }
}

/// The first process other than the tracer that executed a program of this name, and the line where that succeeded.
fn executed(lines: &[Line<'_>], tracer: u32, program: &str) -> Option<(u32, usize)> {
    let is_exec = |name: &str| name == "execve" || name == "execveat";
    let mut pending = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        if line.tid == tracer {
            continue;
        }
        match line.what {
            What::Call { name, rest, .. } if is_exec(name) && first_file_name(rest) == Some(program) => {
                if returned_zero(rest) {
                    return Some((line.tid, index));
                }
                pending.insert(line.tid);
            }
            What::Resumed { name, rest }
                if is_exec(name) && pending.remove(&line.tid) && returned_zero(rest) =>
            {
                return Some((line.tid, index));
            }
            _ => {}
        }
    }
    None
}

/// Who made whom. A child's own lines may come before its parent's call returns, and that call never returns where the
/// child is a thread that executes a program.
fn children(lines: &[Line<'_>]) -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for line in lines {
        if let What::Superseded { by } = line.what {
            children.entry(line.tid).or_default().push(by);
        }
        if let What::Call { name, rest, .. } | What::Resumed { name, rest } = line.what
            && matches!(name, "clone" | "clone3" | "fork" | "vfork")
            && let Some(child) = returned_pid(rest)
        {
            children.entry(line.tid).or_default().push(child);
        }
    }
    children
}

/// A process, its threads and its descendants. Whom a thread made that later took the leader's pid by its exec is
/// found too: it is a descendant of the leader all the same.
fn closure(children: &BTreeMap<u32, Vec<u32>>, of: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([of]);
    let mut next = vec![of];
    while let Some(parent) = next.pop() {
        for child in children.get(&parent).into_iter().flatten() {
            if found.insert(*child) {
                next.push(*child);
            }
        }
    }
    found
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use super::*;

    fn names(log: &str) -> Vec<String> {
        let calls = calls_of_command(log, "/bin/cmd").unwrap_or_else(|error| panic!("{error}"));
        calls.iter().map(|call| format!("{}:{call}", call.arch)).collect()
    }

    /// The launcher's calls and the tracer's own threads are not the command's.
    #[test]
    fn only_the_command_after_its_exec_counts() {
        let log = "\
10  [  59] execve(\"/bin/tracer\", [\"tracer\"], 0x7ff /* 9 vars */) = 0
10  [ 321] bpf(BPF_PROG_LOAD, {}, 148) = 5
10  [ 435] clone3({flags=CLONE_THREAD} => {parent_tid=[11]}, 88) = 11
10  [  56] clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
11  [ 281] epoll_pwait(3,  <unfinished ...>
12  [ 112] setsid()                    = 12
10  [  56] <... clone resumed>)      = 12
12  [  59] execve(\"/usr/local/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */) = -1 ENOENT (No such file)
12  [  59] execve(\"/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */ <unfinished ...>
11  [ 281] <... epoll_pwait resumed>[], 1, 0, NULL, 8) = 0
12  [  59] <... execve resumed>)      = 0
12  [  39] getpid()                    = 12
12  [ 219] restart_syscall(<... resuming interrupted poll ...>) = 0
12  [ 231] exit_group(0)               = ?
";
        assert_eq!(names(log), ["x86_64:getpid", "x86_64:exit_group"]);
    }

    const START: &str = "\
10  [  59] execve(\"/bin/tracer\", [\"tracer\"], 0x7ff /* 9 vars */) = 0
10  [  57] fork() = 12
12  [  59] execve(\"/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */) = 0
";

    /// Its clone never returns.
    #[test]
    fn a_thread_that_executes_at_once_is_found() {
        let log = format!(
            "{START}\
12  [ 435] clone3({{flags=CLONE_THREAD}} <unfinished ...>
14  [ 273] set_robust_list(0x7f0b916149a0, 24) = 0
14  [  59] execve(\"/proc/self/exe\", [\"cmd\"], 0x7ff /* 9 vars */ <unfinished ...>
12  [ 435] <... clone3 resumed> <unfinished ...>) = ?
12  [  59] +++ superseded by execve in pid 14 +++
12  [  59] <... execve resumed>)      = 0
"
        );
        assert_eq!(names(&log), ["x86_64:execve", "x86_64:set_robust_list", "x86_64:clone3"]);
    }

    /// A runtime in Go has threads when it becomes the command: they are the launcher, and so are its children.
    #[test]
    fn other_threads_of_the_launcher_are_not_the_command() {
        let log = "\
10  [  59] execve(\"/bin/tracer\", [\"tracer\"], 0x7ff /* 9 vars */) = 0
10  [  57] fork() = 12
12  [  56] clone(child_stack=0xc000, flags=CLONE_THREAD) = 13
13  [  24] sched_yield()              = 0
12  [  59] execve(\"/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */ <unfinished ...>
13  [ 186] gettid( <unfinished ...>
12  [  59] <... execve resumed>)      = 0
12  [  39] getpid()                    = 12
";
        assert_eq!(names(log), ["x86_64:getpid"]);
    }

    /// The exec of one thread ends the others, also in the middle of making a third.
    #[test]
    fn a_thread_whose_maker_died_before_the_exec_is_the_launchers() {
        let log = "\
10  [  59] execve(\"/bin/tracer\", [\"tracer\"], 0x7ff /* 9 vars */) = 0
10  [  57] fork() = 12
12  [  56] clone(child_stack=0xc000, flags=CLONE_THREAD) = 13
13  [  56] clone(child_stack=0xc000, flags=CLONE_THREAD <unfinished ...>
14  [  24] sched_yield( <unfinished ...>
12  [  59] execve(\"/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */) = 0
12  [  39] getpid()                    = 12
";
        assert_eq!(names(log), ["x86_64:getpid"]);
    }

    /// A child runs before its parent's call returns, and one in a pid namespace has two numbers.
    #[test]
    fn descendants_count_in_whatever_order_the_lines_come() {
        let log = format!(
            "{START}\
12  [  58] vfork( <unfinished ...>
13  [ 124] getsid(0)                  = 4670
13  [  56] clone(child_stack=NULL, flags=SIGCHLD <unfinished ...>
14  [ 121] getpgid(0)                 = 0
13  [  56] <... clone resumed>, child_tidptr=0x7f5a) = 2 /* 14 in strace's PID NS */
12  [  58] <... vfork resumed>)       = 13
"
        );
        assert_eq!(names(&log), ["x86_64:clone", "x86_64:vfork", "x86_64:getpgid", "x86_64:getsid"]);
    }

    /// The thread's number disappears, and its later calls carry the leader's.
    #[test]
    fn an_exec_by_a_thread_goes_on_under_the_leaders_number() {
        let log = format!(
            "{START}\
12  [ 435] clone3({{flags=CLONE_THREAD}} => {{parent_tid=[13]}}, 88) = 13
12  [ 202] futex(0x7f67, FUTEX_WAIT, 13, NULL <unfinished ...>
13  [  59] execve(\"/proc/self/exe\", [\"cmd\", \"again\"], 0x7ff /* 9 vars */ <unfinished ...>
12  [ 202] <... futex resumed>)       = ?
12  [  59] +++ superseded by execve in pid 13 +++
12  [  59] <... execve resumed>)      = 0
12  [ 124] getsid(0)                  = 4670
"
        );
        assert_eq!(names(&log), ["x86_64:execve", "x86_64:getsid", "x86_64:futex", "x86_64:clone3"]);
    }

    /// The number tells the ABI; where it does not, the thread's last call does.
    #[test]
    fn calls_of_two_abis_are_told_apart() {
        let log = format!(
            "{START}\
12  [  20] getpid()                   = 12
12  [ 435] clone3({{flags=0}}, 88) = -1 EINVAL (Invalid argument)
12  [ 110] getppid()                  = 10
12  [9999] syscall_0x270f(0x55, 0) = -1 ENOSYS (Function not implemented)
"
        );
        assert_eq!(names(&log), ["x86_64:getppid", "x86_64:syscall_9999", "x86:getpid", "x86:clone3"]);
    }

    #[test]
    fn a_log_that_cannot_be_trusted_is_refused() {
        let refused = |log: &str| calls_of_command(log, "cmd").expect_err("it must be refused");
        assert!(matches!(refused(""), Confused::NotExecuted(_)));
        assert!(matches!(refused(&START.replace("/bin/cmd", "/bin/other")), Confused::NotExecuted(_)));
        assert!(matches!(refused(&format!("{START}99  [  39] getpid() = 99\n")), Confused::Orphan(99)));
        assert!(matches!(refused(&format!("{START}garbage\n")), Confused::Line { number: 4, .. }));
    }
}
