//! How often a command made each call, from the log of a whole run.

use std::collections::BTreeMap;

use seccomp_trace_core::Syscall;

use super::line::What;
use super::subtree::{Confused, NATIVE, Subtree, abi_of};

/// How often a call ended, and how often with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How often.
    pub calls: u64,
    /// How often with an error.
    pub errors: u64,
}

/// Counts by call.
pub type Counts = BTreeMap<Syscall, Count>;

/// What `strace -c` would count of the command named by `program` and its descendants, from its exec on (which it counts
/// as well): calls that returned. What never returns has `= ?`, and what is to be restarted has an error.
///
/// # Errors
/// [`Confused`], with the place.
pub fn counts_of_command(log: &str, program: &str) -> Result<Counts, Confused> {
    let Subtree { lines, members, exec } = Subtree::of_command(log, program)?;
    let mut counts = Counts::new();
    let (mut abis, mut pending) = (BTreeMap::new(), BTreeMap::new());
    for (index, line) in lines.iter().enumerate() {
        let (call, rest) = match line.what {
            What::Call { nr, name, rest } => {
                let abi = abis.entry(line.tid).or_insert(NATIVE);
                *abi = abi_of(nr, name).unwrap_or(*abi);
                let call = Syscall::new(*abi, nr);
                if rest.ends_with("<unfinished ...>") {
                    pending.insert((line.tid, name), call);
                    continue;
                }
                if let Some(leader) = changed_pid(rest) {
                    pending.insert((leader, name), call);
                    continue;
                }
                (call, rest)
            }
            What::Resumed { name, rest } => match pending.remove(&(line.tid, name)) {
                Some(call) => (call, rest),
                None => continue,
            },
            What::Superseded { by } => {
                if let Some(call) = pending.remove(&(by, "execve")) {
                    pending.insert((line.tid, "execve"), call);
                }
                continue;
            }
            What::Other => continue,
        };
        if let Some(failed) = failed(rest)
            && members.contains(&line.tid)
            && index >= exec
        {
            let count = counts.entry(call).or_default();
            count.calls += 1;
            count.errors += u64::from(failed);
        }
    }
    Ok(counts)
}

/// The leader's number that a thread goes on under, where strace had just begun its line: `<pid changed to 12 ...>`.
fn changed_pid(rest: &str) -> Option<u32> {
    rest.rsplit_once("<pid changed to ")?.1.strip_suffix(" ...>")?.parse().ok()
}

/// Whether a call failed, by the end of its line. `None`: it did not return.
fn failed(rest: &str) -> Option<bool> {
    let (_, result) = rest.rsplit_once(" = ")?;
    match result.trim().strip_prefix('?') {
        Some(reason) => reason.trim_start().starts_with("ERESTART").then_some(true),
        None => Some(result.trim_start().starts_with("-1 E")),
    }
}

#[cfg(test)]
#[cfg(target_arch = "x86_64")]
mod tests {
    use seccomp_trace_core::Arch;

    use super::*;

    /// Lines as strace 6.1 prints them.
    #[test]
    fn calls_that_returned_are_counted_and_others_are_not() {
        let log = "\
10  [  59] execve(\"/bin/tracer\", [\"tracer\"], 0x7ff /* 9 vars */) = 0
10  [  57] fork() = 12
12  [ 112] setsid()                    = 12
12  [  59] execve(\"/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */ <unfinished ...>
10  [ 281] epoll_pwait(3,  <unfinished ...>
12  [  59] <... execve resumed>)      = 0
12  [   3] close(999)                 = -1 EBADF (Bad file descriptor)
12  [   3] close(3)                   = 0
12  [ 435] clone3({flags=CLONE_THREAD} => {parent_tid=[13]}, 88) = 13
13  [ 230] clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=5},  <unfinished ...>
12  [  61] wait4(-1, NULL, 0, NULL) = ? ERESTARTSYS (To be restarted if SA_RESTART is set)
12  [ 231] exit_group(0 <unfinished ...>
13  [ 230] <... clock_nanosleep resumed> <unfinished ...>) = ?
12  [ 231] <... exit_group resumed>)  = ?
";
        let counts = counts_of_command(log, "cmd").unwrap_or_else(|error| panic!("{error}"));
        let expected = [("close", 2, 1), ("execve", 1, 0), ("wait4", 1, 1), ("clone3", 1, 0)];
        let expected = expected.map(|(name, calls, errors)| {
            (Syscall::from_name(Arch::X86_64, name).unwrap(), Count { calls, errors })
        });
        assert_eq!(counts, Counts::from(expected));
    }

    /// In both forms: with another line in between, and without.
    #[test]
    fn the_exec_of_a_thread_returns_under_the_leaders_number() {
        for unfinished in ["<unfinished ...>", "<pid changed to 12 ...>"] {
            let log = format!(
                "\
10  [  59] execve(\"/bin/tracer\", [\"tracer\"], 0x7ff /* 9 vars */) = 0
10  [  57] fork() = 12
12  [  59] execve(\"/bin/cmd\", [\"cmd\"], 0x7ff /* 9 vars */) = 0
12  [ 435] clone3({{flags=CLONE_THREAD}} => {{parent_tid=[13]}}, 88) = 13
12  [ 202] futex(0x7f67, FUTEX_WAIT, 13, NULL <unfinished ...>
13  [  59] execve(\"/proc/self/exe\", [\"cmd\", \"again\"], 0x7ff /* 9 vars */ {unfinished}
12  [ 202] <... futex resumed>)       = ?
12  [  59] +++ superseded by execve in pid 13 +++
12  [  59] <... execve resumed>)      = 0
"
            );
            let counts = counts_of_command(&log, "cmd").unwrap_or_else(|error| panic!("{error}"));
            let execve = Syscall::from_name(Arch::X86_64, "execve").unwrap();
            assert_eq!(counts[&execve].calls, 2, "{unfinished}");
            assert!(!counts.contains_key(&Syscall::from_name(Arch::X86_64, "futex").unwrap()));
        }
    }
}
