//! `-r PID`: a process that runs already is traced until its end, or until somebody asks for it.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;
use seccomp_trace_tests::{ProfileFile, Running, oci_hook, privileged, scratch, tracee};

/// A process that makes a call of its own when it is told, and ends.
struct Process(Child);

impl Process {
    fn start() -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", "read line; exec \"$0\" getpgid", &tracee("caller")]);
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("sh"))
    }

    fn go_on(&mut self) {
        self.0.stdin.take().expect("a pipe").write_all(b"\n").expect("it reads");
        assert!(self.0.wait().expect("it ends").success(), "the process was harmed");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop((self.0.kill(), self.0.wait()));
    }
}

/// The hook when it has attached.
fn traced(process: &Process, output: &Path, more: &[&str]) -> Running {
    let mut command = Command::new(oci_hook());
    command.args(["-r", &process.0.id().to_string(), "-o"]).arg(output).args(more);
    let hook = Running::start(&mut command);
    hook.wait_for_error(&format!("tracing process {}", process.0.id()));
    hook
}

#[test]
fn a_running_process_is_traced_to_its_end() {
    privileged!();
    let folder = scratch();
    let (output, input) = (folder.path().join("out.json"), folder.path().join("in.json"));
    std::fs::write(
        &input,
        r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}"#,
    )
    .expect("a file in a folder of ours");
    let mut process = Process::start();
    let hook = traced(&process, &output, &["-i", input.to_str().expect("UTF-8")]);
    process.go_on();
    let finished = hook.wait();
    assert_eq!(finished.code(), 0, "{finished:?}");
    let profile = ProfileFile::read(&output);
    assert!(profile.workload_has(&["getpgid"]), "{profile:?}");
    assert!(!profile.allowed().contains("mkdir"), "what the input blocks: {profile:?}");
}

#[test]
fn a_signal_ends_the_trace_and_not_the_process() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("out.json");
    let mut process = Process::start();
    let hook = traced(&process, &output, &[]);
    hook.signal(Signal::SIGTERM);
    let finished = hook.wait();
    assert_eq!(finished.code(), 0, "{finished:?}");
    // It waits for its line, and has done nothing else since.
    assert!(ProfileFile::read(&output).workload_has(&["read"]));
    assert!(!ProfileFile::read(&output).allowed().contains("getpgid"));
    process.go_on();
}

#[test]
fn who_does_not_exist_cannot_be_traced() {
    privileged!();
    let folder = scratch();
    let output = folder.path().join("out.json");
    let mut command = Command::new(oci_hook());
    command.args(["-r", "4194304", "-o"]).arg(&output);
    let finished = Running::start(&mut command).wait();
    assert_eq!(finished.code(), 1, "{finished:?}");
    assert!(finished.stderr.contains("cannot observe process 4194304"), "{finished:?}");
    assert!(!output.exists());
}
