//! Many recordings at the same time do not mix.

use std::collections::BTreeSet;
use std::process::Command;

use seccomp_trace_bpf::Tracer;
use seccomp_trace_tests::{
    Running, calls, full, harmless, privileged, read_recording, scratch, seccomp_trace, tracee, workload,
};

/// Each of twenty commands makes three calls that none of the others makes.
#[test]
fn twenty_commands_at_once_are_each_recorded_alone() {
    privileged!();
    let folder = scratch();
    let names = harmless();
    let own: Vec<_> = names.chunks_exact(3).take(20).collect();
    assert_eq!(own.len(), 20);
    let everybody: BTreeSet<_> = calls(own.iter().flat_map(|names| names.iter().copied()));
    for round in 0..if full() { 10 } else { 1 } {
        let file = |index: usize| folder.path().join(format!("{round}-{index}.json"));
        let runs: Vec<_> = own
            .iter()
            .enumerate()
            .map(|(index, names)| {
                Running::start(
                    Command::new(seccomp_trace())
                        .args(["run", "-q", "--recording"])
                        .arg(file(index))
                        .args(["--", &tracee("caller")])
                        .args(*names),
                )
            })
            .collect();
        for run in runs {
            drop(run.wait().success());
        }
        for (index, names) in own.iter().enumerate() {
            let recorded = workload(&read_recording(&file(index)));
            let seen: BTreeSet<_> = recorded.intersection(&everybody).copied().collect();
            assert_eq!(seen, calls(names.iter().copied()), "command {index} of round {round}");
        }
    }
}

/// Each looks whether this process can have storage, and that of all others comes and goes meanwhile.
#[test]
fn tracers_that_are_loaded_at_once_do_not_fail_for_each_other() {
    privileged!();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    drop(Tracer::builder().load().expect("loaded"));
                }
            });
        }
    });
}
