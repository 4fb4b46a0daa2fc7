//! Machines that cannot trace say so in one sentence, with the remedy, and nothing is left behind.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use seccomp_trace_bpf::shared::{ContainerSpec, SharedDir};
use seccomp_trace_bpf::{Error, Tracer};
use seccomp_trace_core::Tgid;
use seccomp_trace_tests::{finish, seccomp_trace};

use crate::Scenario::{Lockdown, NoBtf, NoDoubleWord, Old, Trace};
use crate::Test;
use crate::container::{DIRECTORY, loaded};

pub(crate) const TESTS: &[Test] = &[
    ("refuses-an-old-kernel", Old, || {
        refuses(&["lacks task storage for tracing programs (Linux 5.13)", "; use Linux 5.13 or newer"]);
    }),
    ("refuses-without-btf", NoBtf, || {
        refuses(&["/sys/kernel/btf/vmlinux is missing", "; use a kernel built with CONFIG_DEBUG_INFO_BTF"]);
    }),
    ("refuses-under-lockdown", Lockdown, || {
        refuses(&["locked down (confidentiality)", "; boot without lockdown=confidentiality"]);
    }),
    ("refuses-a-cpu-without-double-words", NoDoubleWord, || {
        refuses(&["this CPU cannot compare and swap two words at once", "; use a CPU"]);
        let doctor = finish(Command::new(seccomp_trace()).arg("doctor"));
        assert!(doctor.stdout.contains("-> use a CPU or a model of a virtual one that can"), "{doctor:?}");
    }),
    ("refuses-without-capabilities", Trace, without_capabilities),
];

/// A user without any capability.
const NOBODY: u32 = 65534;

/// The library, for a command and for a container, and both commands.
fn refuses(texts: &[&str]) {
    let says = |text: &str| assert!(texts.iter().all(|part| text.contains(part)), "{text}");
    match Tracer::builder().load() {
        Err(Error::Refused(refusal)) => says(&refusal.to_string()),
        Err(other) => panic!("no refusal, but: {other}"),
        Ok(_) => panic!("not refused"),
    }
    let mut sleeper = Command::new("sleep").arg("600").spawn().expect("a program");
    match SharedDir::new(DIRECTORY).observe(ContainerSpec::new("c", "/bundle", Tgid(sleeper.id()))) {
        Err(Error::Refused(refusal)) => says(&refusal.to_string()),
        other => panic!("no refusal, but: {other:?}"),
    }
    sleeper.kill().expect("a child of ours");
    sleeper.wait().expect("a child of ours");
    assert!(!Path::new(DIRECTORY).exists() && loaded() == 0);
    let run = finish(Command::new(seccomp_trace()).args(["run", "--", "true"]));
    assert_eq!(run.code(), 125, "{run:?}");
    says(&run.stderr);
    let doctor = finish(Command::new(seccomp_trace()).arg("doctor"));
    assert_eq!(doctor.code(), 1, "{doctor:?}");
    assert!(doctor.stdout.contains("This machine cannot trace."), "{doctor:?}");
}

fn without_capabilities() {
    let run = finish(Command::new(seccomp_trace()).args(["run", "--", "true"]).uid(NOBODY).gid(NOBODY));
    assert_eq!(run.code(), 125, "{run:?}");
    assert!(run.stderr.contains("lacks CAP_BPF and CAP_PERFMON; run it as root"), "{run:?}");
}
