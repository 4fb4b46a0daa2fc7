//! A command cannot tell whether it was started by the shell or by `seccomp-trace run`.

use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, privileged, scratch, seccomp_trace, tracee};

/// Runs `envdump` from a shell that did `setup` first, directly or through us.
fn dump(folder: &Path, setup: &str, through_us: bool) -> Finished {
    let mut command = Command::new("sh");
    command.current_dir(folder).arg("-c").arg(format!("{setup}\nexec \"$@\"")).arg("sh");
    if through_us {
        command.arg(seccomp_trace()).args(["run", "-q", "--recording", "recording.json", "--"]);
    }
    finish(command.args([&tracee("envdump"), "an argument", "", "-o", "--", "*"]))
}

/// Numbers that belong to one of the two runs alone: the group's, and those of the pipes that we read from.
fn comparable(finished: &Finished) -> Vec<String> {
    let group = format!("pgrp={}", finished.pid);
    finished
        .stdout
        .lines()
        .map(|line| if line == group { "pgrp=that of the shell" } else { line })
        .map(|line| line.find("pipe:[").map_or(line, |at| &line[..at]).to_owned())
        .collect()
}

fn same_through_us(setup: &str) {
    let folder = scratch();
    let (direct, ours) = (dump(folder.path(), setup, false), dump(folder.path(), setup, true));
    let (expected, found) = (comparable(&direct), comparable(&ours));
    let lost: Vec<_> = expected.iter().filter(|line| !found.contains(line)).collect();
    let added: Vec<_> = found.iter().filter(|line| !expected.contains(line)).collect();
    assert!(
        lost.is_empty() && added.is_empty(),
        "after {setup:?}\nfrom the shell: {lost:#?}\nthrough us: {added:#?}\n{}",
        ours.stderr
    );
    assert!(expected.len() > 30, "the tracee told next to nothing: {direct:?}");
    assert_eq!(ours.code(), direct.code());
    assert_eq!(ours.stderr, direct.stderr);
}

#[test]
fn a_plain_start_is_the_same() {
    privileged!();
    same_through_us("");
}

/// Rust's start-up opens /dev/null in place of closed descriptors, and ignores SIGPIPE.
#[test]
fn closed_standard_descriptors_stay_closed() {
    privileged!();
    same_through_us("exec <&-");
    same_through_us("exec 2>&-");
    same_through_us("exec <&- 2>&-");
}

#[test]
fn ignored_signals_stay_ignored_and_others_stay_default() {
    privileged!();
    same_through_us("trap '' PIPE HUP");
    same_through_us("trap '' INT QUIT TERM CHLD USR1 WINCH TSTP TTOU");
}

/// A mask is inherited through exec; Python is what can block signals and exec.
#[test]
fn blocked_signals_stay_blocked() {
    privileged!();
    same_through_us(
        "set -- python3 -c 'import os, signal, sys
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGCHLD, signal.SIGTERM, signal.SIGRTMIN])
os.execv(sys.argv[1], sys.argv[1:])' \"$@\"",
    );
}

#[test]
fn inherited_descriptors_arrive_and_none_of_ours() {
    privileged!();
    same_through_us("exec 3</dev/null 7>/dev/null 9</etc/passwd");
}

#[test]
fn umask_directory_environment_and_limits_arrive() {
    privileged!();
    same_through_us("umask 027; export A='b c' LD_DEBUG= EMPTY=; ulimit -n 64; ulimit -c 0");
}

/// A nice value, a timer slack, a lowered bounding set: what a service manager sets.
#[test]
fn niceness_and_capabilities_arrive() {
    privileged!();
    same_through_us("set -- nice -n 5 setpriv --bounding-set -chown --no-new-privs \"$@\"");
}
