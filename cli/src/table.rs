//! The table that `run` prints where no profile is asked for.

use std::fmt::Write;

use seccomp_trace_core::{Phase, Recording};

/// One line per syscall of the workload, in the order in which they were first made.
pub(crate) fn table(recording: &Recording) -> String {
    let mut rows: Vec<_> = recording
        .calls()
        .iter()
        .filter_map(|(call, phases)| phases.get(&Phase::Workload).map(|seen| (seen.first, call)))
        .collect();
    rows.sort();
    let width = rows.iter().map(|(_, call)| call.to_string().len()).max().unwrap_or_default().max(7);
    let mut text = format!("{:width$}  {:7}  first seen by\n", "syscall", "ABI");
    for (first, call) in rows {
        let who = first.map_or_else(|| "?".to_owned(), |first| format!("{} ({})", first.comm, first.pid));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{call:width$}  {:7}  {who}", call.arch);
    }
    text
}

#[cfg(test)]
mod tests {
    use seccomp_trace_core::{Arch, Comm, FirstSeen, Observation, Syscall, Tgid, Tid, Timestamp};

    use super::*;

    #[test]
    fn calls_come_in_the_order_they_were_made_and_setup_is_left_out() {
        let mut recording = Recording::default();
        let mut add = |name, phase, time| {
            let call = Syscall::from_name(Arch::X86_64, name).unwrap();
            let comm = Comm::parse("sh").unwrap();
            let first = FirstSeen { time: Timestamp::from_unix_nanos(time), pid: Tgid(7), tid: Tid(7), comm };
            recording.observe(call, phase, Observation { first: Some(first), ..Observation::default() });
        };
        add("write", Phase::Workload, 1);
        add("read", Phase::Workload, 2);
        add("prctl", Phase::Setup, 0);
        let expected = "syscall  ABI      first seen by\n\
                        write    x86_64   sh (7)\n\
                        read     x86_64   sh (7)\n";
        assert_eq!(table(&recording), expected);
    }
}
