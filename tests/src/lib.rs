//! What the end-to-end tests share: the programs under test, the tracees, processes with a deadline, terminals,
//! containers, a system log, and strace as an independent recorder.
#![expect(
    clippy::missing_panics_doc,
    reason = "these are test helpers: every failure is a panic that says what failed"
)]

pub mod attach;
pub mod bundle;
pub mod cgroup;
pub mod hook;
pub mod live;
pub mod objects;
pub mod orphan;
pub mod podman;
pub mod privileges;
mod process;
mod profile;
mod program;
mod pty;
mod record;
pub mod soak;
pub mod strace;
mod syslog;
pub mod trace;
mod verify;

pub use podman::Podman;
pub use process::{Finished, Running, finish, pause, wait_until};
pub use profile::{OLD_PROFILE, ProfileFile};
pub use program::{
    copy_programs, full, harmless, oci_hook, root, rounds, runs_32_bit, scratch, seccomp_trace, tracee,
    what_stops_bpf,
};
pub use pty::Terminal;
pub use record::{assert_same, calls, read_recording, recorded, workload};
pub use syslog::{Entry, Syslog};
pub use verify::{Denied, Verified, verify, verify_with};

/// Goes on only where the test has what it needs: root, and a kernel that loads our BPF programs.
///
/// Not root, or `SECCOMP_TRACE_TEST_PRIVILEGED=no`: the test is left out, and says so. Root where BPF cannot be
/// loaded: it fails, because a suite that silently tests nothing is a defect.
#[macro_export]
macro_rules! privileged {
    () => {
        if let Some(reason) = $crate::left_out() {
            $crate::say(&format!(
                "left out: a test of `{}` needs root and BPF, but {reason}",
                module_path!()
            ));
            return;
        }
    };
}

/// Makes a test for crun and one for runc of each of these functions, which take the runtime's name.
#[macro_export]
macro_rules! with_each_runtime {
    ($($test:ident),+ $(,)?) => {
        $crate::with_each_runtime!(@ crun, $($test),+);
        $crate::with_each_runtime!(@ runc, $($test),+);
    };
    (@ $runtime:ident, $($test:ident),+) => {
        mod $runtime {
            $(
                #[test]
                fn $test() {
                    $crate::privileged!();
                    super::$test(stringify!($runtime));
                }
            )+
        }
    };
}

/// Prints a line that is seen also when the test passes: the harness captures `eprintln!`, and not this.
pub fn say(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Why privileged tests are left out, `None` where they must run; panics where they must and cannot.
#[must_use]
pub fn left_out() -> Option<&'static str> {
    if !root() {
        return Some("this is not root");
    }
    if std::env::var_os("SECCOMP_TRACE_TEST_PRIVILEGED").is_some_and(|value| value == "no") {
        return Some("SECCOMP_TRACE_TEST_PRIVILEGED=no");
    }
    if let Some(trouble) = what_stops_bpf() {
        panic!(
            "this is root, but the machine cannot trace (SECCOMP_TRACE_TEST_PRIVILEGED=no leaves such tests out):\n{trouble}"
        );
    }
    None
}
