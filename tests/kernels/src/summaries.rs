//! Summaries: the counts are strace's of the same run.

use seccomp_trace_core::{Arch, Syscall};
use seccomp_trace_tests::strace::{Count, Counts, counts_of_command, inside};
use serde_json::Value;

use crate::Scenario::Trace;
use crate::{Test, tracee};

pub(crate) const TESTS: &[Test] = &[
    ("summary-of-threads", Trace, || as_strace("threads", &[])),
    ("summary-of-ends", Trace, || as_strace("endings", &[])),
    ("summary-of-migration", Trace, || as_strace("migrate", &["500"])),
    ("summary-by-process", Trace, || as_strace("daemon", &[])),
];

fn as_strace(name: &str, arguments: &[&str]) {
    let program = tracee(name);
    let command = [&[program.as_str()], arguments].concat();
    for options in [&["-q", "-c", "--json"][..], &["-q", "-c", "--json", "-w", "--by", "process"]] {
        let (finished, log) = inside(options, &command);
        let stdout = &finished.stdout[finished.stdout.find("{\n").expect("a summary")..];
        let document: Value = serde_json::from_str(stdout).expect("JSON");
        let strace = counts_of_command(&log, name).unwrap_or_else(|error| panic!("strace's log: {error}"));
        assert_eq!(counts(&document), strace, "{options:?}; missed: {}", document["missed"]);
    }
}

fn counts(document: &Value) -> Counts {
    let mut counts = Counts::new();
    for row in document["summary"].as_array().expect("a list") {
        let number = |key: &str| row[key].as_u64().expect("a number");
        let arch: Arch = serde_json::from_value(row["arch"].clone()).expect("an ABI");
        let nr = i32::try_from(row["nr"].as_i64().expect("a number")).expect("an i32");
        let count = counts.entry(Syscall::new(arch, nr)).or_default();
        *count = Count { calls: count.calls + number("calls"), errors: count.errors + number("errors") };
    }
    counts
}
