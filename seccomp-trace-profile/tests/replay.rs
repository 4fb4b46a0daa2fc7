//! The kernel's opinion: a command runs under the profile made for it, and not with one name less.
#![cfg(feature = "libseccomp")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::path::PathBuf;
use std::process::{Command, Output};

use seccomp_trace_core::{Arch, Phase};
use seccomp_trace_profile::{Baseline, Policy, generate};
use support::{observe, run};

/// Runs a command under a profile with the `replay` example, which cargo builds beside the tests.
fn replay(profile: &str, name: &str, command: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let examples = test.ancestors().nth(2).unwrap().join("examples");
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, profile).unwrap();
    let output = Command::new(examples.join("replay")).arg(file).args(command).output();
    output.expect("the replay example is built (cargo test builds it, cargo test --test replay does not)")
}

/// What `/bin/true` and the dynamic loader of current C libraries call, with room for other versions.
const TRUE: [&str; 26] = [
    "access",
    "arch_prctl",
    "brk",
    "close",
    "fcntl",
    "fstat",
    "futex",
    "getrandom",
    "ioctl",
    "lseek",
    "mmap",
    "mprotect",
    "munmap",
    "newfstatat",
    "open",
    "openat",
    "pread64",
    "prlimit64",
    "read",
    "rseq",
    "rt_sigaction",
    "set_robust_list",
    "set_tid_address",
    "sigaltstack",
    "statfs",
    "write",
];

#[test]
fn a_command_runs_under_its_profile_and_not_with_one_name_less() {
    if Arch::native() != Some(Arch::X86_64) {
        println!("left out: the list of calls is that of x86_64");
        return;
    }
    let mut recording = run(Arch::X86_64, None);
    observe(&mut recording, Arch::X86_64, Phase::Workload, &TRUE);
    let policy = Policy { baseline: Baseline::None, ..Policy::default() };
    let whole = generate(&recording, &policy).unwrap().profile.to_json();
    let output = replay(&whole, "whole.json", &["/bin/true"]);
    assert!(output.status.success(), "{output:?}");

    for (file, name) in [("no-mmap.json", "\"mmap\""), ("no-execve.json", "\"execve\"")] {
        let less = whole.replace(name, "\"no_such_call\"");
        assert_ne!(less, whole);
        let output = replay(&less, file, &["/bin/true"]);
        assert!(!output.status.success(), "without {name}: {output:?}");
    }
}

/// Whether what the kernel does and what the interpreter says agree on an errno.
#[test]
fn a_denied_call_fails_with_the_errno_of_the_profile() {
    let profile = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
        "syscalls":[{"names":["uname"],"action":"SCMP_ACT_ERRNO","errno":"EXDEV"}]}"#;
    let output = replay(profile, "errno.json", &["/bin/uname"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("cross-device"), "{output:?}");
}
