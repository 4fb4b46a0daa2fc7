//! `run` and `attach` are stopped at any moment, and go on: nothing is missing of what was done meanwhile.

use nix::sys::signal::Signal;
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::hook::Random;
use seccomp_trace_tests::orphan::{Orphan, lifetime};
use seccomp_trace_tests::{
    Running, assert_same, calls, harmless, privileged, read_recording, rounds, say, scratch, workload,
};

/// Not one call is missing of what was done meanwhile, and none is there that is not made otherwise.
#[test]
fn a_stopped_run_loses_nothing_and_goes_on() {
    privileged!();
    let folder = scratch();
    let folder = folder.path();
    let life = lifetime(folder);
    let undisturbed = workload(&read_recording(&folder.join("r.json")));
    let mut random = Random::new();
    for _ in 0..rounds() {
        let mut orphan = Orphan::new(folder, "orphan");
        let running = Running::start(&mut orphan.under_run(folder));
        let after = random.moment(life);
        std::thread::sleep(after / 2);
        running.stop();
        orphan.go_on();
        std::thread::sleep(after / 2);
        running.signal(Signal::SIGCONT);
        let finished = running.wait();
        assert!(orphan.ran(&finished) && finished.code() == 7, "{after:?} {finished:?}");
        let recording = read_recording(&folder.join("r.json"));
        assert!(recording.losses().is_none(), "{:?}", recording.losses());
        assert_same(&workload(&recording), &undisturbed);
        drop(orphan);
    }
    say(&format!("{} stops of run", rounds()));
}

/// What was made before is in the kernel; what is made meanwhile is as well, or it is said that it may be missing.
#[test]
fn a_stopped_attach_loses_nothing_and_goes_on() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("r.json");
    let mut lossy = 0;
    for _ in 0..rounds() {
        let mut swarm = Tracee::start("swarm", &["100"]);
        let pid = swarm.pid();
        let file_name = file.to_str().expect("UTF-8");
        let attach = attached(&["-p", &pid, "--recording", file_name]);
        attach.stop();
        swarm.go_on();
        attach.signal(Signal::SIGCONT);
        drop(attach.wait().success());
        let recording = read_recording(&file);
        let missed = &calls(harmless()) - &workload(&recording);
        // The kernel can be out of memory that it may use while it makes a task: rare, and counted.
        lossy += u32::from(!recording.losses().is_none());
        assert!(missed.is_empty() || !recording.losses().is_none(), "missed: {missed:?}");
    }
    say(&format!("{} stops of attach, {lossy} of them with losses that were said", rounds()));
    assert!(lossy <= rounds() / 5, "{lossy} recordings may be incomplete");
}
