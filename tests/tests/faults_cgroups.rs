//! Cgroups that are full, frozen or out of memory: the target's, and the tracer's own; and a user with too many processes.

use std::process::Command;

use seccomp_trace_core::Recording;
use seccomp_trace_tests::attach::{Tracee, attached, recorded_while};
use seccomp_trace_tests::cgroup::Cgroup;
use seccomp_trace_tests::orphan::{Orphan, RARE};
use seccomp_trace_tests::{
    Finished, Running, calls, copy_programs, finish, full, harmless, privileged, read_recording, rounds, say,
    scratch, seccomp_trace, tracee, workload,
};

/// Records a command that runs in a cgroup, and its tracer does not.
fn recorded_in(cgroup: &Cgroup, command: &[&str]) -> (Recording, Finished) {
    let enter = cgroup.enter();
    let enter: Vec<&str> = enter.iter().map(String::as_str).collect();
    recorded_by(&[&enter, command].concat())
}

fn recorded_by(command: &[&str]) -> (Recording, Finished) {
    let folder = scratch();
    let file = folder.path().join("r.json");
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--recording"]).arg(&file).arg("--").args(command);
    let finished = finish(&mut run);
    (read_recording(&file), finished)
}

fn processes(recording: &Recording) -> u64 {
    recording.runs().values().map(|run| run.processes).sum()
}

/// Each process of a bomb was followed, or it is counted that it could not be: the sum is exact.
fn assert_counted(recording: &Recording, finished: Finished) {
    let finished = finished.success();
    let made: u64 = finished.stdout.trim().parse().expect("a number");
    assert!(made >= 2900, "the limit was not reached: {made}");
    let losses = recording.losses();
    say(&format!("fork bomb: {made} processes, {} followed, {losses:?}", processes(recording)));
    // The first is one more.
    assert!(processes(recording) <= made + 1, "{recording:?}");
    if losses.is_none() {
        assert_eq!(processes(recording), made + 1);
    } else {
        // Whose parent was not followed is not either, and cannot be counted.
        assert!(losses.storage_failures > 0, "{losses:?}");
        assert!(finished.stderr.contains("possibly incomplete"), "{finished:?}");
    }
    assert!(workload(recording).is_superset(&calls(["getpgid", "getsid"])));
}

#[test]
fn a_fork_bomb_up_to_the_limit_of_a_cgroup_is_counted_to_the_last_process() {
    privileged!();
    let Some(cgroup) = Cgroup::new("pids", "bomb") else { return };
    cgroup.limit_tasks(300);
    let (recording, finished) = recorded_in(&cgroup, &[&tracee("bomb"), &rounds().to_string()]);
    assert_counted(&recording, finished);
}

/// `RLIMIT_NPROC`, which is not for root.
#[test]
fn a_fork_bomb_up_to_the_limit_of_a_user_is_counted_to_the_last_process() {
    privileged!();
    let folder = scratch();
    let bomb = folder.path().join("bomb");
    copy_programs(&[tracee("bomb")], &bomb);
    let bomb = bomb.to_str().expect("UTF-8");
    // Nobody else is this user.
    let user = ["setpriv", "--reuid=61987", "--regid=61987", "--clear-groups"];
    let (recording, finished) =
        recorded_by(&[&user[..], &["prlimit", "--nproc=300", bomb, &rounds().to_string()]].concat());
    assert_counted(&recording, finished);
}

/// The kernel ends a process of the command for its memory: what it called before is there, and its status is told.
#[test]
fn a_target_that_runs_out_of_memory_is_recorded_to_its_end() {
    privileged!();
    let Some(cgroup) = Cgroup::new("memory", "hungry") else { return };
    assert!(cgroup.limit_memory(24 << 20), "nobody is in it");
    let script = r#""$0" getpgid; tail /dev/zero; echo "tail $?"; "$0" getsid; exit 3"#;
    let (recording, finished) = recorded_in(&cgroup, &["sh", "-c", script, &tracee("caller")]);
    assert_eq!((finished.code(), finished.stdout.as_str()), (3, "tail 137\n"), "{finished:?}");
    assert!(cgroup.oom_kills() > 0);
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    assert!(workload(&recording).is_superset(&calls(["getpgid", "getsid"])));
}

/// Whoever adopts a process that does not run must not wait for it.
#[test]
fn a_frozen_process_is_attached_to_and_recorded_when_it_thaws() {
    privileged!();
    for _ in 0..if full() { 20 } else { 3 } {
        let mut swarm = Tracee::start("swarm", &["100"]);
        let Some(cgroup) = Cgroup::new("freezer", "frozen") else { return };
        cgroup.add(nix::unistd::Pid::from_raw(swarm.pid().parse().expect("a number")));
        cgroup.freeze(true);
        let recording = recorded_while(&["-p", &swarm.pid()], || {
            cgroup.freeze(false);
            swarm.go_on();
        });
        let missed = &calls(harmless()) - &workload(&recording);
        assert!(missed.is_empty() || !recording.losses().is_none(), "missed: {missed:?}");
    }
}

/// And one that is frozen under observation, when that ends, stays as it is.
#[test]
fn observation_of_a_frozen_process_ends_and_leaves_it_unharmed() {
    privileged!();
    let mut swarm = Tracee::start("swarm", &["20"]);
    // Dropped first where something fails, and with it what keeps the others from being killed.
    let Some(cgroup) = Cgroup::new("freezer", "let-go") else { return };
    cgroup.add(nix::unistd::Pid::from_raw(swarm.pid().parse().expect("a number")));
    let attach = attached(&["-p", &swarm.pid()]);
    cgroup.freeze(true);
    // Not SIGINT, which is ignored where this test runs in the background of a shell.
    attach.signal(nix::sys::signal::Signal::SIGTERM);
    drop(attach.wait().success());
    cgroup.freeze(false);
    swarm.go_on();
}

/// The command does not feel that its tracer is frozen; what it did meanwhile is recorded.
#[test]
fn a_frozen_tracer_loses_nothing() {
    privileged!();
    let Some(cgroup) = Cgroup::new("freezer", "tracer") else { return };
    let folder = scratch();
    let file = folder.path().join("r.json");
    for _ in 0..if full() { 20 } else { 3 } {
        let mut orphan = Orphan::new(folder.path(), "orphan");
        let mut run = Command::new(seccomp_trace());
        run.args(["run", "-q", "--recording"]).arg(&file).arg("--").args(orphan.words());
        let running = Running::start(&mut run);
        orphan.wait_until_up(&running);
        cgroup.add(running.pid());
        cgroup.freeze(true);
        orphan.go_on();
        while running.line() != "end" {}
        cgroup.freeze(false);
        assert_eq!(running.wait().code(), 7);
        let recording = read_recording(&file);
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
        assert!(workload(&recording).is_superset(&calls(RARE)));
    }
}
