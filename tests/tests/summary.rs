//! `-c`: the counts are strace's, exactly.

use std::collections::BTreeMap;
use std::process::Command;

use seccomp_trace_core::{Arch, Syscall};
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::strace::{Count, Counts, counts_of_command, inside};
use seccomp_trace_tests::{
    Running, finish, full, harmless, privileged, runs_32_bit, scratch, seccomp_trace, tracee,
};
use serde_json::Value;

fn document(stdout: &str) -> Value {
    serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"))
}

/// The rows of a summary in JSON, summed over its groups.
fn counts(document: &Value) -> Counts {
    assert_eq!((&document["missed"], &document["uncounted"]), (&0.into(), &0.into()), "{document}");
    let mut counts = Counts::new();
    for row in document["summary"].as_array().expect("a list") {
        let number = |key: &str| row[key].as_u64().unwrap_or_else(|| panic!("no {key}: {row}"));
        let arch: Arch = serde_json::from_value(row["arch"].clone()).expect("an ABI");
        let nr = i32::try_from(row["nr"].as_i64().expect("a number")).expect("an i32");
        let count = counts.entry(Syscall::new(arch, nr)).or_default();
        count.calls += number("calls");
        count.errors += number("errors");
    }
    counts
}

fn summary(options: &[&str], command: &[&str]) -> Value {
    let run = ["run", "-q", "-c", "--json"];
    let finished = finish(Command::new(seccomp_trace()).args(run).args(options).arg("--").args(command));
    // What the command prints comes first.
    let stdout = finished.success().stdout;
    document(&stdout[stdout.find("{\n").expect("a summary")..])
}

fn native(name: &str) -> Syscall {
    Syscall::from_name(Arch::native().expect("recording works here"), name).expect("a name")
}

/// In one run: strace's log of the command, and ours.
fn assert_same_as_strace(options: &[&str], command: &[&str]) {
    let (finished, log) = inside(&[&["-q", "-c", "--json"], options].concat(), command);
    let stdout = &finished.stdout[finished.stdout.find("{\n").expect("a summary")..];
    let ours = counts(&document(stdout));
    let strace = counts_of_command(&log, command[0]).unwrap_or_else(|error| panic!("strace's log: {error}"));
    let both: BTreeMap<_, (Count, Count)> = ours
        .keys()
        .chain(strace.keys())
        .map(|call| {
            let count = |counts: &Counts| counts.get(call).copied().unwrap_or_default();
            (*call, (count(&ours), count(&strace)))
        })
        .filter(|(_, (ours, strace))| ours != strace)
        .collect();
    assert!(both.is_empty(), "{command:?}: ours, and strace's: {both:#?}");
    assert!(ours[&native("execve")].calls > 0, "its own exec is in it");
}

#[test]
fn counts_equal_straces_of_the_same_run() {
    privileged!();
    let tracees: &[&[&str]] = &[
        &["caller", "getitimer", "msync", "getitimer"],
        &["threads"],
        &["vfork"],
        &["daemon"],
        &["exec_thread"],
        &["clone3"],
        &["badnr"],
        &["migrate", "200"],
    ];
    for words in tracees {
        let program = tracee(words[0]);
        let command = [&[program.as_str()], &words[1..]].concat();
        for by in [&[][..], &["--by", "process"], &["--by", "thread"]] {
            assert_same_as_strace(by, &command);
        }
    }
    assert_same_as_strace(&["-w"], &["sh", "-c", "ls / | wc -l; false; test -e /nonexistent; true"]);
}

/// A 32-bit program's calls are counted under their own names.
#[test]
fn counts_of_another_abi_equal_straces() {
    privileged!();
    if cfg!(target_arch = "x86_64") && runs_32_bit() {
        assert_same_as_strace(&[], &[&tracee("int80")]);
        assert_same_as_strace(&[], &[&tracee("i386")]);
    }
}

/// Killed, interrupted, resumed, in the way of an exec, or ended with the process.
#[test]
fn calls_that_end_in_every_way_are_counted_as_strace_counts_them() {
    privileged!();
    for _ in 0..if full() { 50 } else { 5 } {
        assert_same_as_strace(&[], &[&tracee("endings")]);
    }
}

/// Two threads on each core, at the same time.
#[test]
fn two_million_calls_on_all_cores_are_counted_to_the_last_one() {
    privileged!();
    let cores = std::thread::available_parallelism().expect("Linux knows").get() as u64;
    for (options, of) in [(&[][..], 1), (&["-w"], 1), (&["--by", "thread"], 2 * cores)] {
        let document = summary(options, &[&tracee("storm"), "2"]);
        let ours = counts(&document);
        assert_eq!(ours[&native("getppid")].calls, 2_000_000 / (2 * cores) * (2 * cores), "{options:?}");
        let rows = document["summary"].as_array().expect("a list");
        let rows = rows.iter().filter(|row| row["syscall"] == "getppid").count() as u64;
        assert_eq!(rows, of, "{options:?}");
        for name in harmless() {
            assert_eq!(ours[&native(name)].calls, 1, "{name}");
        }
    }
}

/// A call begins on one CPU and ends on another.
#[test]
fn counts_do_not_depend_on_where_a_call_begins_and_ends() {
    privileged!();
    let ours = counts(&summary(&[], &[&tracee("migrate"), "10000"]));
    assert_eq!(ours[&native("sched_setaffinity")], Count { calls: 10_000, errors: 0 });
    assert_eq!(ours[&native("getppid")], Count { calls: 10_000, errors: 0 });
}

/// More threads than there is room for: no call is lost, and what is not told apart is said.
#[test]
fn groups_without_room_are_counted_together_and_that_is_said() {
    privileged!();
    let threads = 6000;
    let command = [&tracee("crowd"), &threads.to_string()].map(ToOwned::to_owned);
    let run = ["run", "-q", "-c", "--json", "--by", "thread", "--"];
    let finished = finish(Command::new(seccomp_trace()).args(run).args(command)).success();
    assert!(finished.stderr.contains("not told apart"), "{}", finished.stderr);
    let document = document(&finished.stdout);
    assert_eq!(counts(&document)[&native("getppid")].calls, threads);
    let rows = document["summary"].as_array().expect("a list");
    assert!(rows.iter().any(|row| row["others"] == true), "somebody found no room");
    assert!(rows.iter().any(|row| row["tid"].is_u64() && row["comm"] == "crowd"), "others did");
}

/// What the launcher does before the command's exec is its setup, and in no other summary.
#[test]
fn phases_are_summarised_apart() {
    privileged!();
    let caller = tracee("caller");
    let command = [caller.as_str(), "getitimer"];
    let document = summary(&["--by", "phase"], &command);
    let of = |phase: &str| {
        let rows = document["summary"].as_array().expect("a list").iter();
        let rows: Vec<_> = rows.filter(|row| row["phase"] == phase).cloned().collect();
        counts(&serde_json::json!({ "summary": rows, "missed": 0, "uncounted": 0 }))
    };
    assert_eq!(of("workload"), counts(&summary(&[], &command)));
    let setup = of("setup");
    assert!(setup.contains_key(&native("rt_sigprocmask")), "{setup:?}");
    assert!(!setup.contains_key(&native("getitimer")), "{setup:?}");
}

/// What a call waits for is not work, unless all time is asked for.
#[test]
fn time_is_that_on_a_cpu_or_all_that_passes() {
    privileged!();
    let time = |options: &[&str]| {
        let document = summary(options, &[&tracee("sleeper"), "nanosleep", "300"]);
        let rows = document["summary"].as_array().expect("a list");
        let row = rows.iter().find(|row| row["syscall"] == "nanosleep").expect("it slept");
        row["time_ns"].as_u64().expect("a time") / 1_000_000
    };
    assert!(time(&["-w"]) >= 300, "it slept for 300 ms");
    assert!(time(&[]) < 100, "it worked for some microseconds");
}

/// Calls in flight are strace's too when it attaches: they are counted when they end.
#[test]
fn attach_counts_what_ends_while_it_is_attached() {
    privileged!();
    let mut swarm = Tracee::start("swarm", &["2"]);
    let attach = attached(&["-p", &swarm.pid(), "-c", "--json"]);
    swarm.go_on();
    let ours = counts(&document(&attach.wait().success().stdout));
    assert_eq!(ours[&native("read")].calls, 1 + (harmless().len() - harmless().len() / 2) as u64);
    assert_eq!(ours[&native("getitimer")].calls, 1);
}

#[test]
fn options_of_a_summary_without_one_are_refused() {
    privileged!();
    for options in [&["-S", "calls"][..], &["-w"], &["--by", "process"], &["--json"], &["-c", "-S", "size"]] {
        let run = Running::start(Command::new(seccomp_trace()).arg("run").args(options).args(["--", "true"]));
        assert_eq!(run.wait().code(), 125, "{options:?}");
    }
    let sorted =
        finish(Command::new(seccomp_trace()).args(["run", "-c", "-S", "name", "--", "true"])).success();
    let lines: Vec<_> =
        sorted.stderr.lines().map(|line| line.split(' ').next_back().expect("a word")).collect();
    let between = &lines[2..lines.len() - 3];
    assert!(between.is_sorted() && between.contains(&"execve"), "{sorted:?}");
}

/// As with strace, `-e` chooses what is counted, and `-C` prints the lines as well: two ways to the same numbers.
#[test]
fn a_view_is_summed_up_by_what_it_shows() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("log");
    let name = file.to_str().expect("UTF-8");
    let trace = |options: &[&str]| {
        let words = [&["trace", "-q", "-e", "trace=openat,execve"], options, &["--", "ls", "/"]].concat();
        finish(Command::new(seccomp_trace()).args(words)).success()
    };
    let _ = trace(&["-C", "-o", name]);
    let log = std::fs::read_to_string(&file).expect("the log");
    let of = |call: &str| {
        let lines: Vec<_> = log.lines().filter(|line| line.contains(&format!(" {call}("))).collect();
        let failed = lines.iter().filter(|line| line.contains(" = -1 ")).count();
        Count { calls: lines.len() as u64, errors: failed as u64 }
    };
    let stdout = trace(&["-c", "--json"]).stdout;
    let counted = counts(&document(&stdout[stdout.find("{\n").expect("a summary")..]));
    assert_eq!(counted, ["openat", "execve"].map(|call| (native(call), of(call))).into());
    assert!(counted[&native("openat")].calls > 1, "{log}");
    let row = log.lines().rev().find(|line| line.ends_with(" openat")).expect("the table is in the file");
    assert!(row.contains(&format!(" {} ", of("openat").calls)), "{row}");

    let refused = finish(Command::new(seccomp_trace()).args(["trace", "-c", "-z", "--", "true"]));
    assert_eq!(refused.code(), 125);
}
