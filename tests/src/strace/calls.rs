//! The lines of `strace -f -e raw=all -o FILE` put together to calls, signals and ends of threads.

use std::collections::BTreeMap;

/// A call in strace's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCall {
    /// Its name.
    pub name: String,
    /// Its registers, as many as strace knows the call to have.
    pub args: Vec<u64>,
    /// What follows the equals sign: `0x3`, `-1 ENOENT (No such file or directory)`, `?`.
    pub result: String,
}

/// What strace saw of one thread, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct RawThread {
    /// Its calls, in the order in which they were entered.
    pub calls: Vec<RawCall>,
    /// The signals that it took: the text between the braces of `--- SIGCHLD {...} ---`.
    pub signals: Vec<String>,
    /// How it ended: `exited with 0`, `killed by SIGKILL`.
    pub end: Option<String>,
}

/// The threads of a log, by their numbers. Panics with the line that is of no known form.
#[must_use]
pub fn raw_threads(log: &str) -> BTreeMap<u32, RawThread> {
    let mut threads: BTreeMap<u32, RawThread> = BTreeMap::new();
    // Where an exec that another thread began goes on.
    let mut successors: BTreeMap<u32, u32> = BTreeMap::new();
    for line in log.lines() {
        let known = read(line, &mut threads, &mut successors);
        assert!(known.is_some(), "a line of no known form: {line:?}");
    }
    threads
}

fn read(
    line: &str,
    threads: &mut BTreeMap<u32, RawThread>,
    successors: &mut BTreeMap<u32, u32>,
) -> Option<()> {
    let (tid, rest) = line.split_once(' ')?;
    let tid: u32 = tid.parse().ok()?;
    let rest = rest.trim_start();
    if let Some(thread) = rest.strip_prefix("+++ superseded by execve in pid ") {
        successors.insert(tid, thread.strip_suffix(" +++")?.parse().ok()?);
    } else if let Some(end) = rest.strip_prefix("+++ ") {
        threads.entry(tid).or_default().end = Some(end.strip_suffix(" +++")?.to_owned());
    } else if let Some(signal) = rest.strip_prefix("--- ") {
        let (_, info) = signal.split_once('{')?;
        threads.entry(tid).or_default().signals.push(info.strip_suffix("} ---")?.to_owned());
    } else if let Some(resumed) = rest.strip_prefix("<... ") {
        let (_, result) = resumed.rsplit_once(" = ")?;
        let by = successors.remove(&tid).unwrap_or(tid);
        let call = threads.get_mut(&by)?.calls.last_mut()?;
        result.clone_into(&mut call.result);
    } else {
        let (name, rest) = rest.split_once('(')?;
        let (args, result) = match rest.split_once(" <unfinished ...>") {
            Some((args, _)) => (args, "?"),
            None => rest.rsplit_once(" = ")?,
        };
        let args = args.trim_end().trim_end_matches(')').split(", ").filter(|arg| !arg.is_empty());
        let call = RawCall {
            name: name.to_owned(),
            args: args.map(number).collect::<Option<_>>()?,
            result: result.to_owned(),
        };
        threads.entry(tid).or_default().calls.push(call);
    }
    Some(())
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

impl RawCall {
    /// Whether a result is what this one says; -4095 to -1 are errnos, also the kernel's own.
    #[must_use]
    pub fn returned(&self, value: i64) -> bool {
        let text = self.result.trim();
        let Some(text) = text.strip_prefix("-1 ").or_else(|| text.strip_prefix("? ")) else {
            return number(text).is_some_and(|number| number == value.cast_unsigned());
        };
        let name = text.split(' ').next().unwrap_or_default();
        // include/linux/errno.h
        let own = [
            ("ERESTARTSYS", 512_i64),
            ("ERESTARTNOINTR", 513),
            ("ERESTARTNOHAND", 514),
            ("ERESTART_RESTARTBLOCK", 516),
        ];
        match own.iter().find(|(known, _)| *known == name) {
            Some((_, errno)) => value == -errno,
            None => i32::try_from(-value)
                .is_ok_and(|errno| format!("{:?}", nix::errno::Errno::from_raw(errno)) == name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each form was printed by strace 6.1.
    #[test]
    fn calls_of_several_lines_are_put_together() {
        let log = "7 openat(0xffffff9c, 0x7ffe10, 0x80000, 0) = -1 ENOENT (No such file or directory)\n\
                   8 exit(0 <unfinished ...>\n\
                   9 execve(0x10, 0x20, 0x30 <unfinished ...>\n\
                   8 <... exit resumed>)               = ?\n\
                   8 +++ exited with 0 +++\n\
                   7 +++ superseded by execve in pid 9 +++\n\
                   7 <... execve resumed>)             = 0\n\
                   7 --- SIGCHLD {si_signo=SIGCHLD, si_status=0} ---\n\
                   7 getppid()                         = 0x5\n";
        let threads = raw_threads(log);
        assert_eq!(threads[&7].calls[0].args, [0xffff_ff9c, 0x007f_fe10, 0x80000, 0]);
        assert!(threads[&7].calls[0].returned(-2) && !threads[&7].calls[0].returned(2));
        assert_eq!(threads[&8].calls[0].result, "?");
        assert_eq!(threads[&8].end.as_deref(), Some("exited with 0"));
        assert!(threads[&9].calls[0].returned(0));
        assert_eq!(threads[&7].signals, ["si_signo=SIGCHLD, si_status=0"]);
        assert!(threads[&7].calls[1].returned(5) && threads[&7].calls[1].args.is_empty());
    }
}
