//! Fails loudly where the other tests would be of no use.

use std::process::Command;

use seccomp_trace_tests::{finish, left_out, root, say, seccomp_trace};

/// Every privileged test stands on this one: root that cannot load BPF is a broken test machine, not a reason to
/// pass. `left_out` panics then, with what `doctor` found.
#[test]
fn this_machine_can_trace() {
    match left_out() {
        Some(reason) => say(&format!("left out: every test that needs root and BPF, because {reason}")),
        None => assert!(root()),
    }
}

/// The probe that decides what runs must not say yes to everything.
#[test]
fn doctor_can_say_no() {
    let mut command = if root() {
        let mut command = Command::new("setpriv");
        // Root by number alone: every capability gone, as in a locked-down container.
        command.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(seccomp_trace());
        command
    } else {
        Command::new(seccomp_trace())
    };
    let doctor = finish(command.arg("doctor"));
    assert_eq!(doctor.code(), 1, "{doctor:?}");
    assert!(format!("{}{}", doctor.stdout, doctor.stderr).contains("CAP_BPF"), "{doctor:?}");
}
