//! The live view prints what strace prints, in the same run: the same calls, arguments, flags and results, thread by
//! thread.

use seccomp_trace_tests::trace::same_lines_as_strace;
use seccomp_trace_tests::{privileged, scratch, tracee};

fn count(options: &[&str], command: &[&str]) -> usize {
    same_lines_as_strace(options, command).ours.values().map(Vec::len).sum()
}

#[test]
fn the_files_of_a_listing_are_strace_s() {
    privileged!();
    assert!(count(&["-e", "trace=%file"], &["ls", "-la", "/etc"]) > 20);
}

#[test]
fn every_call_of_a_listing_is_strace_s() {
    privileged!();
    assert!(count(&[], &["ls", "-la", "/"]) > 100);
}

#[test]
fn the_files_of_an_archiver_are_strace_s() {
    privileged!();
    assert!(count(&["-e", "trace=%file"], &["tar", "cf", "/dev/null", "/etc/apt"]) > 20);
}

/// The kernel counts those of which the view does not read the list to its end.
#[test]
fn the_number_of_an_execs_variables_is_strace_s() {
    privileged!();
    let variables: Vec<_> = (0..90).map(|number| format!("VARIABLE_{number}=1")).collect();
    let command = ["/usr/bin/env", "-i"].into_iter().chain(variables.iter().map(String::as_str));
    let both = same_lines_as_strace(&["-e", "execve"], &command.chain(["/usr/bin/true"]).collect::<Vec<_>>());
    let lines = || both.ours.values().flatten();
    assert!(lines().any(|line| line.ends_with("/* 90 vars */) = 0")), "{:?}", lines().collect::<Vec<_>>());
}

/// A compiler driver: several programs, pipes, temporary files, `vfork`.
#[test]
fn every_call_of_a_compilation_is_strace_s() {
    privileged!();
    let folder = scratch();
    let (source, program) = (folder.path().join("a.c"), folder.path().join("a"));
    std::fs::write(&source, "int main(void) { return 0; }").unwrap();
    let (source, program) = (source.to_str().unwrap(), program.to_str().unwrap());
    let both = same_lines_as_strace(&[], &["cc", "-o", program, source]);
    assert!(both.ours.len() > 3, "several processes: {:?}", both.ours.keys());
}

/// Files, memory, descriptors, limits, prctl, sockets against a loopback server, signals and children; strings in full, and hardly at all.
#[test]
fn calls_of_many_kinds_are_strace_s() {
    privileged!();
    assert!(count(&[], &[&tracee("calls")]) > 200);
    assert!(count(&["-s", "2", "-e", "trace=setsockopt,getsockopt"], &[&tracee("calls")]) > 6);
    assert!(
        count(&["-s", "200", "-v", "-e", "trace=!execve,%%stat,%%statfs,%clock"], &[&tracee("calls")]) > 150
    );
}

#[test]
fn only_what_was_asked_for_is_printed_as_with_strace() {
    privileged!();
    let calls = tracee("calls");
    for options in [
        &["-e", "trace=%network", "-e", "signal=none"][..],
        &["-z", "-e", "trace=%file"],
        &["-Z", "-e", "trace=%file"],
        &["-e", "trace=/^(f|set)", "-e", "signal=!SIGUSR1"],
        &["-x", "-e", "write,openat,prctl"],
        &["-e", "trace=%process,%signal", "-qq"],
    ] {
        let both = same_lines_as_strace(options, &[&calls]);
        assert!(both.ours.values().map(Vec::len).sum::<usize>() > 3, "{options:?}: {:#?}", both.ours);
    }
}

/// i386 calls from 64-bit code and from a 32-bit program: other numbers, structures and registers.
#[cfg(target_arch = "x86_64")]
#[test]
fn calls_of_a_32_bit_program_are_strace_s() {
    privileged!();
    if !seccomp_trace_tests::runs_32_bit() {
        return;
    }
    assert!(count(&[], &[&tracee("i386")]) > 3);
}

/// Which call a filter answered with `SIGSYS`, where, and in which ABI.
#[test]
fn the_signal_of_a_trapped_call_is_strace_s() {
    privileged!();
    let both = same_lines_as_strace(&["-e", "trace=none"], &[&tracee("filters"), "trapped"]);
    let lines: Vec<_> = both.ours.values().flatten().collect();
    assert!(lines.iter().any(|line| line.contains("si_syscall=__NR_getsid")), "{lines:?}");
}

#[test]
fn threads_and_signals_of_an_interpreter_are_strace_s() {
    privileged!();
    let program = "
import os, signal, subprocess, threading, time
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.02)
time.sleep(0.1)
subprocess.run(['true'], check=True)
";
    assert!(count(&[], &["/usr/bin/python3", "-c", program]) > 300);
}
