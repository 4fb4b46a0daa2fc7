//! What the tracee calls without any rare call, by strace: once as a command, once in a root file system of its own, once
//! as a process that runs already.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_core::{Arch, Syscall};

use crate::attach::Tracee;
use crate::podman::unpack_rootfs;
use crate::strace::calls_of_command;
use crate::{Running, calls, finish, scratch, tracee};

/// The calls of the tracee that no name is given.
pub(super) struct Oracle {
    command: BTreeSet<Syscall>,
    container: BTreeSet<Syscall>,
    attached: BTreeSet<Syscall>,
}

impl Oracle {
    /// Asks strace.
    pub(super) fn ask() -> Self {
        let folder = scratch();
        let root = folder.path().join("rootfs");
        unpack_rootfs(&root);
        let inside = format!("chroot {} /tracees/rare", root.display());
        Self { command: command(&tracee("rare")), container: command(&inside), attached: attached() }
    }

    pub(super) fn of_command(&self, own: &BTreeSet<&str>) -> BTreeSet<Syscall> {
        &self.command | &calls(own.iter().copied())
    }

    pub(super) fn of_container(&self, own: &BTreeSet<&str>) -> BTreeSet<Syscall> {
        &self.container | &calls(own.iter().copied())
    }

    pub(super) fn of_attached(&self, own: &BTreeSet<&str>) -> BTreeSet<Syscall> {
        &self.attached | &calls(own.iter().copied())
    }
}

fn command(line: &str) -> BTreeSet<Syscall> {
    let folder = scratch();
    let log = folder.path().join("strace.log");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-n", "-qq", "--decode-pids=pidns", "-o"]).arg(&log);
    drop(finish(strace.args(["--", "sh", "-c", &format!("{line}; exit $?")])).success());
    let log = String::from_utf8_lossy(&std::fs::read(&log).expect("strace writes its log")).into_owned();
    calls_of_command(&log, "rare").unwrap_or_else(|error| panic!("strace's log is not understood: {error}"))
}

fn attached() -> BTreeSet<Syscall> {
    let folder = scratch();
    let log = folder.path().join("strace.log");
    let mut waiting = Tracee::start("rare", &["wait"]);
    let mut strace = Command::new("strace");
    let strace = Running::start(strace.args(["-f", "-n", "-p", &waiting.pid(), "-o"]).arg(&log));
    strace.wait_for_error("attached");
    waiting.go_on();
    drop(strace.wait().success());
    let native = Arch::native().expect("tests run where recording works");
    let log = String::from_utf8_lossy(&std::fs::read(&log).expect("strace writes its log")).into_owned();
    // `PID [  NR] name(…`
    let number = |line: &str| line.split_once('[')?.1.split_once(']')?.0.trim().parse().ok();
    log.lines().filter_map(number).map(|nr| Syscall::new(native, nr)).collect()
}
