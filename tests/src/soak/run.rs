//! A command under `run`: recorded to its end, stopped meanwhile, or its tracer is killed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use super::Soak;
use crate::hook::Random;
use crate::objects::Objects;
use crate::{Running, read_recording, seccomp_trace, tracee};

/// Says how the command ended, also where nobody can ask its tracer.
const SCRIPT: &str = r#""$@"; echo "ended $?""#;

fn start(file: &Path, words: &[&str], own: &BTreeSet<&str>) -> Running {
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--recording"]).arg(file).arg("--").args(words).arg(tracee("rare")).args(own);
    Running::start(run.stdin(Stdio::null()))
}

pub(super) fn target(soak: &Soak, name: &str, own: &BTreeSet<&str>, random: &mut Random) {
    soak.count(|counts| counts.commands += 1);
    let file = soak.folder.path().join(format!("{name}.json"));
    match random.below(10) {
        0 => killed(soak, &file, own, random),
        1 => stopped(soak, &file, own, random),
        _ => compare(soak, &file, own, start(&file, &[], own)),
    }
}

fn compare(soak: &Soak, file: &Path, own: &BTreeSet<&str>, running: Running) {
    let finished = running.wait();
    let what = format!("run {}", file.display());
    if !finished.status.success() {
        soak.count(|counts| counts.harmed(&what, &format!("{finished:?}")));
        return;
    }
    let recording = read_recording(file);
    soak.count(|counts| counts.compare(&what, &recording, &soak.oracle.of_command(own)));
    std::fs::remove_file(file).expect("it was read");
}

fn some_time(random: &mut Random) {
    std::thread::sleep(Duration::from_micros(random.below(400_000)));
}

fn stopped(soak: &Soak, file: &Path, own: &BTreeSet<&str>, random: &mut Random) {
    let running = start(file, &[], own);
    some_time(random);
    running.signal(Signal::SIGSTOP);
    some_time(random);
    running.signal(Signal::SIGCONT);
    soak.count(|counts| counts.stopped += 1);
    compare(soak, file, own, running);
}

/// The command was never started, or it is not harmed; its recording is not there, or it is complete.
fn killed(soak: &Soak, file: &Path, own: &BTreeSet<&str>, random: &mut Random) {
    let running = start(file, &["sh", "-c", SCRIPT, "sh"], own);
    some_time(random);
    running.stop();
    let objects = Objects::of(running.pid());
    running.signal(Signal::SIGKILL);
    let finished = running.wait();
    objects.wait_until_gone("a killed run");
    let what = format!("killed run {}", file.display());
    soak.count(|counts| {
        counts.tracers_killed += 1;
        counts.objects += objects.count() as u64;
        if finished.stdout != "ended 0\n" && !finished.stdout.is_empty() {
            counts.harmed(&what, &format!("{finished:?}"));
        }
    });
    if file.exists() {
        // With the shell's own calls; those of the tracee must all be there.
        let missed = &soak.oracle.of_command(own) - &crate::workload(&read_recording(file));
        if !missed.is_empty() {
            soak.count(|counts| counts.harmed(&what, &format!("missed: {missed:?}")));
        }
        std::fs::remove_file(file).expect("it was read");
    }
    // A writer that is killed leaves this one, for the next writer of the same file.
    let name = file.file_name().expect("a name").to_str().expect("UTF-8");
    drop(std::fs::remove_file(file.with_file_name(format!(".{name}.seccomp-trace"))));
}
