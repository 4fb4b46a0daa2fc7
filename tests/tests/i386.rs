//! Calls of the i386 ABI are told apart from native ones: the same number is another call there.
#![cfg(target_arch = "x86_64")]

use seccomp_trace_core::{Arch, Syscall};
use seccomp_trace_tests::strace::both;
use seccomp_trace_tests::{assert_same, privileged, runs_32_bit, say, tracee};

fn call(arch: Arch, name: &str) -> Syscall {
    Syscall::from_name(arch, name).expect("a call of that ABI")
}

/// Number 20 is getpid on i386 and writev on `x86_64`: without the ABI the profile is wrong twice.
#[test]
fn int_0x80_from_64_bit_code_is_recorded_as_i386() {
    privileged!();
    if !runs_32_bit() {
        say("left out: this kernel runs no 32-bit code");
        return;
    }
    let both = both(&[&tracee("int80")]);
    assert_same(&both.recorded, &both.strace);
    assert!(both.recorded.contains(&call(Arch::X86, "getpid")));
    assert!(both.recorded.contains(&call(Arch::X86_64, "getppid")));
    assert!(both.recorded.contains(&call(Arch::X86_64, "getpid")));
    assert!(!both.recorded.contains(&call(Arch::X86_64, "writev")), "getpid of i386 was taken for writev");
}

#[test]
fn a_32_bit_program_makes_i386_calls_only() {
    privileged!();
    if !runs_32_bit() {
        say("left out: this kernel runs no 32-bit code");
        return;
    }
    let both = both(&[&tracee("i386")]);
    assert_same(&both.recorded, &both.strace);
    let expected = ["exit", "getpid", "getppid"].map(|name| call(Arch::X86, name));
    assert_eq!(both.recorded, expected.into());
}
