//! Others watch the same calls at the same time with BPF of their own: everybody sees everything.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_core::Syscall;
use seccomp_trace_tests::attach::attached;
use seccomp_trace_tests::objects::Objects;
use seccomp_trace_tests::{
    Running, assert_same, calls, full, harmless, privileged, read_recording, say, scratch, seccomp_trace,
    tracee, workload,
};

fn rounds() -> u32 {
    if full() { 10 } else { 2 }
}

/// Three tracers of one process: `run` around it, and two `attach` that find it running. Each has programs and storage of
/// its own.
#[test]
fn tracers_of_one_process_see_the_same() {
    privileged!();
    for _ in 0..rounds() {
        let folder = scratch();
        let at = |name: &str| folder.path().join(name);
        let pipe = at("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe in a folder of ours");
        let mut run = Command::new(seccomp_trace());
        run.args(["run", "-q", "--recording"]).arg(at("run.json")).arg("--");
        // The shell becomes the tracee, so its process id is the tracee's.
        let script = r#"echo $$; exec "$0" wait "$@" <"$PIPE""#;
        run.args(["sh", "-c", script, &tracee("rare")]).args(harmless()).env("PIPE", &pipe);
        let run = Running::start(&mut run);
        let pid = run.line();
        let input = std::fs::File::options().write(true).open(&pipe).expect("the tracee reads it");
        assert_eq!(run.line(), "ready");
        let others = ["one.json", "two.json"].map(|name| {
            let file = at(name);
            attached(&["-p", &pid, "--recording", file.to_str().expect("UTF-8")])
        });
        drop(input);
        drop(run.wait().success());
        for attach in others {
            drop(attach.wait().success());
        }
        let [run, one, two] = ["run.json", "one.json", "two.json"].map(|name| read_recording(&at(name)));
        for recording in [&run, &one, &two] {
            let losses = recording.losses();
            assert!(losses.is_none() && losses.recursion_misses == 0, "{losses:?}");
        }
        assert_same(&workload(&one), &workload(&two));
        let missed: BTreeSet<Syscall> = &calls(harmless()) - &workload(&one);
        assert!(missed.is_empty(), "{missed:?}");
        assert!(workload(&run).is_superset(&workload(&one)), "{run:?}");
    }
}

/// Another program at the same tracepoint, of another maker, which is there before and after ours.
#[test]
fn bpftrace_at_the_same_tracepoint_changes_nothing() {
    privileged!();
    let Ok(installed) = Command::new("bpftrace").arg("--version").output() else {
        say("left out: bpftrace is not installed");
        return;
    };
    assert!(installed.status.success(), "{installed:?}");
    let undisturbed = seccomp_trace_tests::recorded(&recorded_words()).0;
    let program = r#"BEGIN { printf("ready\n"); }
        tracepoint:raw_syscalls:sys_enter { @[args->id] = count(); }"#;
    let bpftrace = Running::start(Command::new("bpftrace").args(["-e", program]));
    while bpftrace.line() != "ready" {}
    for _ in 0..rounds() {
        assert_same(&seccomp_trace_tests::recorded(&recorded_words()).0, &undisturbed);
    }
    assert!(Objects::of(bpftrace.pid()).count() > 0, "it has ended meanwhile");
}

fn recorded_words() -> Vec<&'static str> {
    static RARE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let mut words = vec![RARE.get_or_init(|| tracee("rare")).as_str()];
    words.extend(harmless());
    words
}
