//! Clocks that jump or stand elsewhere: times in a recording are those of the wall clock, in their order, and no wait is
//! shorter or longer for it.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use seccomp_trace_core::{Recording, Timestamp};
use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::{
    calls, finish, privileged, read_recording, say, scratch, seccomp_trace, tracee, workload,
};

/// When each call was seen first.
fn times(recording: &Recording) -> Vec<Timestamp> {
    let observed = recording.calls().values().flat_map(|phases| phases.values());
    observed.filter_map(|seen| seen.first.as_ref()).map(|first| first.time).collect()
}

/// Words before a command that put it into a time namespace; none where the kernel has none, which is said.
fn elsewhere(seconds: i64) -> Option<Vec<String>> {
    let seconds = seconds.to_string();
    let words = ["unshare", "--time", "--fork", "--boottime", &seconds, "--monotonic", &seconds, "--"];
    let words: Vec<_> = words.map(str::to_owned).to_vec();
    let possible = Command::new(&words[0]).args(&words[1..]).arg("true").status();
    if !possible.is_ok_and(|status| status.success()) {
        say("left out: no time namespace can be made here");
        return None;
    }
    Some(words)
}

fn all_within(recording: &Recording, begin: Timestamp, end: Timestamp) {
    let times = times(recording);
    assert!(!times.is_empty(), "{recording:?}");
    for time in times {
        assert!((begin..=end).contains(&time), "{time} is not in {begin}..={end}");
    }
}

fn run(before: &[String], file: &Path, after: &[String]) -> Recording {
    let program = seccomp_trace().to_str().expect("UTF-8").to_owned();
    let file_name = file.to_str().expect("UTF-8").to_owned();
    let run = [program, "run".into(), "-q".into(), "--recording".into(), file_name, "--".into()];
    let caller = [tracee("caller"), "getpgid".into()];
    let words = [before, &run, after, &caller].concat();
    drop(finish(Command::new(&words[0]).args(&words[1..])).success());
    read_recording(file)
}

/// The kernel tells the time in the first namespace, and `clock_gettime` that in ours.
#[test]
fn a_tracer_or_a_command_in_another_time_namespace_is_recorded_at_the_right_time() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("r.json");
    for seconds in [1_000_000, 0] {
        let Some(words) = elsewhere(seconds) else { return };
        for (before, after) in [(&words[..], &[][..]), (&[], &words)] {
            let begin = Timestamp::now();
            let recording = run(before, &file, after);
            all_within(&recording, begin, Timestamp::now());
            assert!(workload(&recording).is_superset(&calls(["getpgid"])), "{recording:?}");
        }
    }
}

/// A library in the tracer's place of the C library's clock, as `date -s` on a machine of our own would do: the wall clock
/// is an hour ahead or back with each look.
#[test]
fn a_wall_clock_that_jumps_makes_no_wait_longer_and_changes_no_order() {
    privileged!();
    let folder = scratch();
    let library = folder.path().join("jump.so");
    let source = folder.path().join("jump.c");
    std::fs::write(&source, JUMP).expect("a file in a folder of ours");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut compile = Command::new(compiler);
    let _ = finish(compile.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source])).success();

    let file = folder.path().join("r.json");
    let mut waiting = Tracee::start("inflight", &[]);
    let started = Instant::now();
    let mut attach = Command::new(seccomp_trace());
    attach.args(["attach", "-p", &waiting.pid(), "--max-time", "2", "--recording"]).arg(&file);
    let finished = finish(attach.env("LD_PRELOAD", &library).env("JUMPED", folder.path().join("jumped")));
    let finished = finished.success();
    let took = started.elapsed();
    assert!(folder.path().join("jumped").exists(), "nobody looked at that clock");
    assert!(finished.stderr.contains("time was up"), "{finished:?}");
    assert!((2..60).contains(&took.as_secs()), "{took:?}");
    waiting.ends();
    let recording = read_recording(&file);
    let times = times(&recording);
    let run = recording.runs().values().next().expect("one run");
    let (first, last) = (times.iter().min().expect("a call"), times.iter().max().expect("a call"));
    // One reading of the wall clock is the measure for all times of a run.
    assert!(last.since(*first) < took + Duration::from_secs(1), "{recording:?}");
    assert!(run.started <= first.after(Duration::from_secs(1)), "{run:?}");
}

const JUMP: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
	static int looks;
	int result = syscall(SYS_clock_gettime, clock, time);

	if (clock == CLOCK_REALTIME) {
		time->tv_sec += looks++ % 2 ? 3600 : -3600;
		close(open(getenv("JUMPED"), O_CREAT | O_WRONLY, 0600));
	}
	return result;
}
"#;
