//! The tracer alone has too little memory, from the beginning or while it runs: what it traces goes on.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::cgroup::Cgroup;
use seccomp_trace_tests::hook::Random;
use seccomp_trace_tests::objects::Objects;
use seccomp_trace_tests::orphan::{Orphan, RARE};
use seccomp_trace_tests::{
    Finished, OLD_PROFILE, ProfileFile, Running, privileged, rounds, say, scratch, seccomp_trace, tracee,
};

/// `run` in a cgroup, with a command that leaves it at once.
fn run(folder: &Path, cgroup: &Cgroup, orphan: &Orphan) -> Command {
    let (enter, leave) = (cgroup.enter(), cgroup.leave());
    let mut run = Command::new(&enter[0]);
    run.current_dir(folder).args(&enter[1..]).arg(seccomp_trace()).args(["run", "-q", "-o", "p.json", "--"]);
    run.args(leave).args(orphan.voluminous());
    run
}

/// Whether it is the old one; what is new must be complete.
fn old_or_complete(file: &Path) -> bool {
    let new = ProfileFile::read_if_new(file);
    assert!(new.as_ref().is_none_or(|new| new.workload_has(&RARE)), "{new:?}");
    new.is_none()
}

fn was_killed(finished: &Finished) -> bool {
    finished.signal() == Some(Signal::SIGKILL as i32)
}

/// A limit that is met while it loads, launches, waits, or writes.
#[test]
fn a_run_without_enough_memory_starts_nothing_or_costs_the_command_nothing() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("p.json");
    let (mut random, mut killed, mut refused, mut worked, mut ran) = (Random::new(), 0, 0, 0, 0);
    for _ in 0..rounds() {
        fs::write(&file, OLD_PROFILE).expect("a file in a folder of ours");
        // A new one each time: what the last one had in use may not be given back at once.
        let Some(cgroup) = Cgroup::new("memory", "oom-run") else { return };
        let limit = (200 << 10) + random.below(6 << 20);
        assert!(cgroup.limit_memory(limit), "nobody is in it");
        let mut orphan = Orphan::new(folder.path(), "orphan");
        orphan.go_on();
        let finished = Running::start(&mut run(folder.path(), &cgroup, &orphan)).wait();
        let completed = orphan.ran(&finished);
        ran += u32::from(completed);
        let old = old_or_complete(&file);
        if was_killed(&finished) {
            killed += 1;
        } else if finished.code() == 7 {
            worked += 1;
            assert!(completed && (!old || finished.stderr.contains("cannot")), "{finished:?}");
        } else {
            // 137: the command was killed, before it had left the cgroup.
            assert!(!completed && matches!(finished.code(), 125 | 126 | 137), "{finished:?}");
            assert!(finished.code() == 137 || !finished.stderr.is_empty(), "it must say why: {finished:?}");
            refused += 1;
        }
    }
    say(&format!(
        "too little memory for run: {killed} killed, {refused} refused, {worked} worked; {ran} commands ran"
    ));
    assert!(killed > 0, "the limits were too high to test anything");
}

/// There is none left when it has to write: the command has ended, or goes on.
#[test]
fn a_run_that_runs_out_of_memory_leaves_the_command_alone_and_nothing_behind() {
    privileged!();
    let Some(cgroup) = Cgroup::new("memory", "oom-later") else { return };
    let folder = scratch();
    let file = folder.path().join("p.json");
    let (mut killed, mut worked) = (0, 0);
    for _ in 0..rounds() / 2 {
        fs::write(&file, OLD_PROFILE).expect("a file in a folder of ours");
        let mut orphan = Orphan::new(folder.path(), "orphan");
        assert!(cgroup.limit_memory(1 << 30), "nobody needs so much");
        let running = Running::start(&mut run(folder.path(), &cgroup, &orphan));
        orphan.wait_until_up(&running);
        let objects = Objects::of(running.pid());
        assert!(objects.count() > 10, "{objects:?}");
        let _ = cgroup.limit_memory(cgroup.memory());
        orphan.go_on();
        let finished = running.wait();
        assert!(orphan.ran(&finished), "{finished:?}");
        let old = old_or_complete(&file);
        if was_killed(&finished) {
            killed += 1;
        } else {
            worked += 1;
            assert!(finished.code() == 7 && (!old || finished.stderr.contains("cannot")), "{finished:?}");
        }
        objects.wait_until_gone("out of memory");
    }
    say(&format!("out of memory while the command runs: {killed} killed, {worked} worked"));
    assert!(killed > 0, "it had enough memory all the time");
}

#[test]
fn an_attach_that_runs_out_of_memory_leaves_the_process_alone_and_nothing_behind() {
    privileged!();
    let Some(cgroup) = Cgroup::new("memory", "oom-attach") else { return };
    let folder = scratch();
    let file = folder.path().join("p.json");
    let mut killed = 0;
    for _ in 0..rounds() / 2 {
        fs::write(&file, OLD_PROFILE).expect("a file in a folder of ours");
        assert!(cgroup.limit_memory(1 << 30), "nobody needs so much");
        let script = "echo ready; read -r line; exec \"$0\" 100000 1000";
        let mut target = Tracee::spawn(Command::new("sh").args(["-c", script, &tracee("numbers")]));
        let attach = attached(&["-p", &target.pid(), "-o", file.to_str().expect("UTF-8")]);
        cgroup.add(attach.pid());
        let objects = Objects::of(attach.pid());
        let _ = cgroup.limit_memory(64 << 10);
        target.go_on();
        killed += u32::from(was_killed(&attach.wait()));
        objects.wait_until_gone("out of memory");
        if let Some(profile) = ProfileFile::read_if_new(&file) {
            assert!(profile.workload_has(&["execve"]), "{profile:?}");
        }
    }
    say(&format!("out of memory while attached: {killed} of {} killed", rounds() / 2));
    assert!(killed > 0 && cgroup.oom_kills() > 0, "it had enough memory all the time");
}
