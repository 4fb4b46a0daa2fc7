//! Whom one may attach to: whom one may trace with ptrace, also with a program that may load BPF programs.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::{
    Finished, copy_programs, finish, privileged, scratch, seccomp_trace, tracee, wait_until,
};

const NOBODY: [&str; 3] = ["--reuid=65534", "--regid=65534", "--clear-groups"];
/// What `setcap cap_bpf,cap_perfmon+ep` gives to whoever executes the program.
const TRACING: [&str; 2] = ["--inh-caps=-all,+bpf,+perfmon", "--ambient-caps=-all,+bpf,+perfmon"];

/// A folder that nobody can enter, with a copy of the program.
fn place() -> tempfile::TempDir {
    let folder = scratch();
    copy_programs(&[seccomp_trace()], folder.path());
    folder
}

/// `attach` as a user without privileges but for these.
fn attach(place: &Path, capabilities: &[&str], arguments: &[&str]) -> Finished {
    let mut command = Command::new("setpriv");
    command.args(NOBODY).args(capabilities).arg(place.join("seccomp-trace")).arg("attach");
    finish(command.args(arguments).args(["--max-time", "0"]))
}

struct Sleeps(Child);

impl Sleeps {
    fn start(command: &mut Command) -> Self {
        let child = command.arg("1000").stdout(Stdio::null()).spawn().expect("sleep");
        let stat = format!("/proc/{}/cmdline", child.id());
        // setpriv has become somebody else, and then sleep.
        wait_until("sleep", || {
            let line = fs::read(&stat).unwrap_or_default();
            !line.starts_with(b"setpriv") && line.ends_with(b"1000\0")
        });
        Self(child)
    }

    fn pid(&self) -> String {
        self.0.id().to_string()
    }
}

impl Drop for Sleeps {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

fn refused(finished: &Finished, said: &str) {
    assert_eq!(finished.code(), 2, "{finished:?}");
    assert!(finished.stderr.contains("may not attach"), "{finished:?}");
    assert!(finished.stderr.contains(said), "{finished:?}");
    assert!(finished.stderr.contains("CAP_SYS_PTRACE"), "no remedy: {finished:?}");
}

/// `None`: nobody but Yama has a say.
fn yama() -> Option<String> {
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    (!matches!(scope.trim(), "" | "0")).then(|| format!("ptrace_scope is {}", scope.trim()))
}

#[test]
fn the_processes_of_others_are_not_watched_by_who_may_only_trace() {
    privileged!();
    let place = place();
    let roots = Sleeps::start(&mut Command::new("sleep"));
    refused(&attach(place.path(), &TRACING, &["-p", &roots.pid()]), "another user");
    let own = Sleeps::start(Command::new("setpriv").args(NOBODY).arg("sleep"));
    let finished = attach(place.path(), &TRACING, &["-p", &own.pid()]);
    match yama() {
        None => drop(finished.success()),
        Some(said) => refused(&finished, &said),
    }
    let may_ptrace =
        ["--inh-caps=-all,+bpf,+perfmon,+sys_ptrace", "--ambient-caps=-all,+bpf,+perfmon,+sys_ptrace"];
    drop(attach(place.path(), &may_ptrace, &["-p", &roots.pid()]).success());
}

/// A process with secrets can ask for that: `prctl(PR_SET_DUMPABLE)`.
#[test]
fn a_process_that_the_kernel_protects_from_its_own_user_is_not_watched() {
    privileged!();
    let place = place();
    let program = place.path().join("undumpable");
    copy_programs(&[tracee("undumpable")], &program);
    let mut own = Tracee::spawn(Command::new("setpriv").args(NOBODY).arg(&program));
    let said = yama().unwrap_or_else(|| "the kernel protects it".to_owned());
    refused(&attach(place.path(), &TRACING, &["-p", &own.pid()]), &said);
    own.ends();
}

/// Whoever enters it later cannot be asked about beforehand.
#[test]
fn cgroups_are_for_those_who_may_trace_anybody() {
    privileged!();
    let place = place();
    refused(&attach(place.path(), &TRACING, &["--cgroup", "/"]), "anybody's");
}
