//! `attach` to what is no program: threads that the kernel made for itself seem to be in a call, and make none.

use std::process::Command;

use nix::errno::Errno;
use nix::libc;
use seccomp_trace_tests::attach::{Tracee, recorded_while};
use seccomp_trace_tests::{assert_same, calls, finish, privileged, say, seccomp_trace, workload};

/// Such a thread has the registers of the thread that made it.
#[test]
fn what_io_uring_does_in_its_threads_is_no_call() {
    privileged!();
    // SAFETY: the kernel finds no parameters at address 0 and makes nothing.
    let refused = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, 0) };
    if refused == -1 && Errno::last() != Errno::EFAULT {
        say("left out: io_uring is not to be had here");
        return;
    }
    let mut ring = Tracee::start("ring", &[]);
    let recording = recorded_while(&["-p", &ring.pid(), "--max-time", "0"], || {});
    assert_same(&workload(&recording), &calls(["read"]));
    ring.ends();
}

#[test]
fn a_kernel_thread_is_refused() {
    privileged!();
    const KTHREADD: &str = "2";
    for verb in ["attach", "trace"] {
        let finished = finish(Command::new(seccomp_trace()).args([verb, "-p", KTHREADD]));
        assert_ne!(finished.code(), 0, "{finished:?}");
        assert!(finished.stderr.contains("kernel thread"), "{finished:?}");
    }
}
