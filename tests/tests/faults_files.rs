//! The tracer may open few files, from the beginning or while it runs: it works in full, or says that it cannot.

use std::fs;
use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::objects::Objects;
use seccomp_trace_tests::orphan::Orphan;
use seccomp_trace_tests::{
    Finished, ProfileFile, Running, calls, finish, full, privileged, read_recording, say, scratch,
    seccomp_trace, workload,
};

/// Lowers what a running process may open.
fn limit(running: &Running, files: u32) {
    let (pid, limit) = (running.pid().to_string(), format!("--nofile={files}:{files}"));
    let _ = finish(Command::new("prlimit").args(["--pid", &pid, &limit])).success();
}

/// More is never worse: there is one number from which on it works, and below it nothing is begun.
#[test]
fn with_too_few_files_nothing_is_started_and_with_enough_all_works() {
    privileged!();
    let folder = scratch();
    let (profile, recording) = (folder.path().join("p.json"), folder.path().join("r.json"));
    let mut needed = None;
    for files in (3..100).step_by(if full() { 1 } else { 4 }) {
        let script = format!("ulimit -n {files}; exec \"$@\"");
        let mut run = Command::new("sh");
        run.args(["-c", &script, "sh"]).arg(seccomp_trace());
        run.current_dir(folder.path()).args(["run", "-q", "-o", "p.json", "--recording", "r.json", "--"]);
        let finished = finish(
            run.args(["sh", "-c", r#"touch started; "$0" getpgid"#])
                .arg(seccomp_trace_tests::tracee("caller")),
        );
        let started = fs::remove_file(folder.path().join("started")).is_ok();
        if finished.status.success() {
            let _ = needed.get_or_insert(files);
            let recording = read_recording(&recording);
            assert!(recording.losses().is_none(), "{files}: {:?}", recording.losses());
            assert!(workload(&recording).is_superset(&calls(["getpgid"])), "{files}: {recording:?}");
            assert!(started && ProfileFile::read(&profile).workload_has(&["getpgid"]));
        } else {
            assert!(!started, "{files}: the command ran, and nothing came of it: {finished:?}");
            assert_eq!(needed, None, "{files} files are too few, and less were enough: {finished:?}");
            assert!(matches!(finished.code(), 125 | 127), "{files}: {finished:?}");
            // The dynamic linker speaks before we do.
            let said = finished.stderr.contains("open enough files")
                || finished.stderr.contains("open shared object");
            assert!(said, "{files}: {finished:?}");
            assert!(!profile.exists() && !recording.exists(), "{files}: {finished:?}");
        }
    }
    let needed = needed.expect("a hundred files are enough");
    say(&format!("run needs at most {needed} open files"));
    assert!(needed > 7, "the limit had no effect");
}

/// What was recorded is written, since what is not needed any more was closed before; or it is said why not.
#[test]
fn a_run_that_may_open_no_more_files_says_so_or_writes_all() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("p.json");
    let (mut wrote, mut told) = (0, 0);
    for files in (0..44).step_by(if full() { 1 } else { 4 }) {
        let mut orphan = Orphan::new(folder.path(), "orphan");
        let mut run = Command::new(seccomp_trace());
        run.current_dir(folder.path()).args(["run", "-q", "-o", "p.json", "--"]).args(orphan.words());
        let running = Running::start(run.env("TMPDIR", folder.path()));
        orphan.wait_until_up(&running);
        let objects = Objects::of(running.pid());
        limit(&running, files);
        orphan.go_on();
        let finished = running.wait();
        assert!(orphan.ran(&finished) && finished.code() == 7, "{files}: {finished:?}");
        if wrote_or_told(&finished, fs::remove_file(&file).is_ok()) {
            wrote += 1;
        } else {
            told += 1;
        }
        objects.wait_until_gone("few files");
    }
    say(&format!(
        "files ran out while run ran: {wrote} times it wrote all the same, {told} times it said why not"
    ));
    assert!(told > 0, "the limit had no effect");
    assert!(wrote > told, "{wrote} written, {told} lost");
}

/// Whether it wrote; if it did not, it must have said why.
fn wrote_or_told(finished: &Finished, wrote: bool) -> bool {
    assert!(wrote || finished.stderr.contains("open files"), "{finished:?}");
    wrote
}

#[test]
fn an_attach_that_may_open_no_more_files_says_so_or_writes_all() {
    privileged!();
    let folder = scratch();
    let file = folder.path().join("p.json");
    for files in (0..44).step_by(if full() { 2 } else { 8 }) {
        let mut swarm = Tracee::start("swarm", &["20"]);
        let attach = attached(&["-p", &swarm.pid(), "-o", file.to_str().expect("UTF-8")]);
        let objects = Objects::of(attach.pid());
        limit(&attach, files);
        // It asks for a profile that may not be writable now; that ends nothing.
        attach.signal(Signal::SIGUSR1);
        swarm.go_on();
        let finished = attach.wait();
        let wrote = fs::remove_file(&file).is_ok();
        assert_eq!(wrote_or_told(&finished, wrote), finished.status.success(), "{files}: {finished:?}");
        objects.wait_until_gone("few files");
    }
}
