//! Where things are: the program under test, the tracees, a scratch folder.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::finish;

/// The program under test: `SECCOMP_TRACE_BIN`, else the one built beside this test in the same profile.
#[must_use]
pub fn seccomp_trace() -> PathBuf {
    built("seccomp-trace", "SECCOMP_TRACE_BIN")
}

/// The OCI hook under test: `SECCOMP_TRACE_HOOK_BIN`, else the one built beside this test in the same profile.
#[must_use]
pub fn oci_hook() -> PathBuf {
    built("oci-seccomp-bpf-hook", "SECCOMP_TRACE_HOOK_BIN")
}

fn built(name: &str, variable: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("the path of this test");
    // target/PROFILE/deps/TEST-HASH
    let folder = test.ancestors().nth(2).expect("a test lies two folders deep in target/");
    let program = folder.join(name);
    assert!(
        program.exists(),
        "{} is not built: `cargo build --workspace --bins`, or set {variable}",
        program.display()
    );
    program
}

/// The path of a compiled tracee of `tests/tracees`.
#[must_use]
pub fn tracee(name: &str) -> String {
    let path = PathBuf::from(concat!(env!("OUT_DIR"), "/tracees")).join(name);
    assert!(path.exists(), "there is no tracee {name}");
    path.into_os_string().into_string().expect("a path in UTF-8")
}

/// Copies programs to a file or into a folder. Not by this process: whatever another thread starts meanwhile would hold the
/// copy open for writing for a moment, in which nobody can execute it ("Text file busy").
pub fn copy_programs(programs: &[impl AsRef<OsStr>], to: &Path) {
    drop(finish(Command::new("cp").args(programs).arg(to)).success());
}

/// The names of the calls in `tracees/harmless.h`, in its order.
#[must_use]
pub fn harmless() -> Vec<&'static str> {
    include_str!("../tracees/harmless.h")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("CALL(")?.strip_suffix("),"))
        .collect()
}

/// A new folder that everybody can enter, removed at the end.
#[must_use]
pub fn scratch() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), mode).expect("the mode of a folder of ours");
    folder
}

/// Whether we are root.
#[must_use]
pub fn root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether the larger counts are asked for (`make test-full`).
#[must_use]
pub fn full() -> bool {
    std::env::var_os("SECCOMP_TRACE_TEST_FULL").is_some_and(|value| !value.is_empty() && value != "0")
}

/// How often what happens at random moments is made to happen: a hundred times, or a tenth of that.
#[must_use]
pub fn rounds() -> u32 {
    if full() { 100 } else { 10 }
}

/// Whether this kernel runs 32-bit code: it may be built or booted without.
#[must_use]
pub fn runs_32_bit() -> bool {
    cfg!(target_arch = "x86_64") && Command::new(tracee("i386")).status().is_ok_and(|status| status.success())
}

/// What `seccomp-trace doctor` has against this machine, `None` where it can trace.
#[must_use]
pub fn what_stops_bpf() -> Option<String> {
    static FOUND: OnceLock<Option<String>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let doctor = finish(Command::new(seccomp_trace()).arg("doctor"));
            (!doctor.status.success()).then(|| format!("{}{}", doctor.stdout, doctor.stderr))
        })
        .clone()
}
