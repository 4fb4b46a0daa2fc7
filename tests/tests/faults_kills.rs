//! `run` and `attach` are killed at any moment: whom they trace goes on, also its new children, the output is
//! old or complete, and the kernel has nothing left of them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nix::sys::signal::Signal;
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::hook::Random;
use seccomp_trace_tests::objects::Objects;
use seccomp_trace_tests::orphan::{Orphan, RARE, lifetime};
use seccomp_trace_tests::{
    OLD_PROFILE, ProfileFile, Running, privileged, rounds, say, scratch, seccomp_trace,
};

/// What is in the folder besides the outputs: nothing, but what a writer is killed over, which the next one removes.
fn old_or_complete(folder: &Path, temporary: bool) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let of_a_writer = name == ".p.json.seccomp-trace" || name == ".r.json.seccomp-trace";
        assert!(name == "p.json" || name == "r.json" || (temporary && of_a_writer), "{name} is left");
    }
    if let Some(profile) = ProfileFile::read_if_new(&folder.join("p.json")) {
        assert!(profile.workload_has(&RARE), "{profile:?}");
    }
}

/// Where the tracer was when it was killed.
#[derive(Debug, Default)]
struct Hits {
    before: u32,
    running: u32,
    late: u32,
}

#[test]
fn a_killed_run_leaves_the_command_alone_and_nothing_behind() {
    privileged!();
    let folder = scratch();
    let folder = folder.path();
    let life = lifetime(folder);
    let (mut random, mut hits) = (Random::new(), Hits::default());
    for round in 0..rounds() {
        fs::write(folder.join("p.json"), OLD_PROFILE).expect("a file in a folder of ours");
        let mut orphan = Orphan::new(folder, "orphan");
        // Every other time the command certainly runs, and has yet to start its children.
        let waits = round % 2 == 1;
        if !waits {
            orphan.go_on();
        }
        let running = Running::start(&mut orphan.under_run(folder));
        let after = random.moment(life);
        if waits {
            orphan.wait_until_up(&running);
        } else {
            std::thread::sleep(after);
        }
        running.stop();
        let objects = Objects::of(running.pid());
        assert_eq!(objects.left(), objects, "it is stopped, and keeps them");
        running.signal(Signal::SIGKILL);
        if waits {
            assert!(objects.count() > 10, "{objects:?} is not all that a tracer needs");
            objects.wait_until_gone("while the command waits");
            orphan.go_on();
        }
        let finished = running.wait();
        let ran = orphan.ran(&finished);
        assert!(ran || !waits, "{finished:?}");
        match finished.signal() {
            Some(signal) => {
                assert_eq!(signal, Signal::SIGKILL as i32, "{finished:?}");
                if ran {
                    hits.running += 1;
                } else {
                    hits.before += 1;
                }
            }
            None => {
                assert_eq!(finished.code(), 7, "{finished:?}");
                hits.late += 1;
            }
        }
        objects.wait_until_gone(&format!("{after:?} {finished:?}"));
        drop(orphan);
        old_or_complete(folder, true);
    }
    let _ = lifetime(folder);
    old_or_complete(folder, false);
    say(&format!("{} kills of run: {hits:?}", rounds()));
    assert!(hits.running >= rounds() / 2, "{hits:?}");
}

/// What is under observation then has storage of a map that goes away under it.
#[test]
fn a_killed_attach_leaves_the_process_alone_and_nothing_behind() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("p.json");
    let life = {
        let waiting = Tracee::start("swarm", &["20"]);
        let started = Instant::now();
        drop(attached(&["-p", &waiting.pid()]));
        started.elapsed()
    };
    let (mut random, mut most) = (Random::new(), 0);
    for round in 0..rounds() {
        fs::write(&output, OLD_PROFILE).expect("a file in a folder of ours");
        let mut swarm = Tracee::start("swarm", &["20"]);
        let arguments = ["-p", &swarm.pid(), "-o", output.to_str().expect("UTF-8")];
        // Every other time it is killed while it writes what it has seen so far, or soon after.
        let attach = if round % 2 == 1 {
            let attach = attached(&arguments);
            attach.signal(Signal::SIGUSR1);
            std::thread::sleep(random.moment(life / 4));
            attach
        } else {
            let attach = Running::start(Command::new(seccomp_trace()).arg("attach").args(arguments));
            std::thread::sleep(random.moment(life));
            attach
        };
        attach.stop();
        let objects = Objects::of(attach.pid());
        most = most.max(objects.count());
        attach.signal(Signal::SIGKILL);
        assert_eq!(attach.wait().signal(), Some(Signal::SIGKILL as i32));
        objects.wait_until_gone("after attach");
        swarm.go_on();
        if let Some(profile) = ProfileFile::read_if_new(&output) {
            assert!(!profile.workload().is_empty(), "{profile:?}");
        }
    }
    say(&format!("{} kills of attach, with up to {most} BPF objects each", rounds()));
    assert!(most > 10, "no kill met a tracer that was at work");
}
