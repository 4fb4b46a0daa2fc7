//! The filter that our own programs run under is made by our own tools, and is enough for them.
//!
//! `SECCOMP_TRACE_BLESS=1` makes it anew, from recordings of all that is tried here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use seccomp_trace_core::Recording;
use seccomp_trace_tests::attach::{Tracee, attached};
use seccomp_trace_tests::privileges::Privileges;
use seccomp_trace_tests::{Running, finish, privileged, scratch, seccomp_trace};
use serde_json::Value;

/// Where the filter is.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../seccomp-trace-profile/src/confine").join(name)
}

/// A command that ends, and whose child lives on until it is told to end. Nobody is our child by then, so that who
/// attaches to us records us alone.
const LEFT_ALONE: &str =
    "(while kill -0 $$ 2>&-; do :; done; echo ready >&2; until [ -e go ]; do :; done; ls /) & exit 0";

/// A command that dies of a signal, as we do after it.
const DIES: &str = "ls / no-such-file; kill -TERM $$";

/// A file of everywhere.
const ANY: &str = "any.json";

/// What our programs do with a command.
const LAUNCHING: [&[&str]; 8] = [
    &["run"],
    &["run", "-q", "-o", "-"],
    &["run", "-o", "new.json", "--recording", "r.json", "--args", "fcntl,socket"],
    &["run", "-o", ANY, "-c", "-i", ANY, "--compare", ANY],
    &["trace", "-o", "log", "-y", "-tt", "-T", "-v"],
    &["trace", "-ff", "-o", "log", "-C", "-e", "%file"],
    &["verify", "--profile", "strict.json", "--log-only", "--update", "new.json"],
    &["verify", "--profile", ANY, "--json"],
];

/// What they do with a process.
const ATTACHING: [&[&str]; 4] = [
    &["attach", "-o", "new.json", "--quiet-for", "1000"],
    &["attach", "--denied=json", "--profile", ANY, "--update", "new.json", "-c"],
    &["trace", "-o", "log", "-y"],
    &["trace", "-ff", "-o", "log"],
];

/// A folder with the files that they read.
fn place() -> tempfile::TempDir {
    let folder = scratch();
    let write = |name, text| fs::write(folder.path().join(name), text).expect("a file in a folder of ours");
    write(ANY, r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[]}"#);
    let read = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#;
    write("strict.json", &format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{read}]}}"#));
    folder
}

fn target() -> Tracee {
    Tracee::spawn(Command::new("sh").args(["-c", "echo ready; read x; ls / >/dev/null"]))
}

/// Records one of our programs from when its target is armed to its end.
fn record(words: &[&str], kept: &Path) {
    let folder = place();
    let mut target = ATTACHING.contains(&words).then(target);
    let mut command = Command::new(seccomp_trace());
    command.current_dir(folder.path()).arg(words[0]).arg("--unconfined").args(&words[1..]);
    let ours = match &target {
        Some(target) => Running::start(command.args(["-p", &target.pid()])),
        None => Running::start(command.args(["--", "sh", "-c", LEFT_ALONE])),
    };
    ours.wait_for_error(if target.is_some() { "attached" } else { "ready" });
    let pid = ours.pid().to_string();
    let kept = kept.to_str().expect("UTF-8");
    let recorder = attached(&["--args", "clone,ioctl,prctl", "-p", &pid, "--recording", kept]);
    if words[0] == "attach" {
        ours.signal(Signal::SIGUSR1);
    }
    fs::write(folder.path().join("go"), "").expect("a file in a folder of ours");
    if let Some(target) = &mut target {
        target.go_on();
    }
    let ended = ours.wait();
    assert!([0, 1].contains(&ended.code()), "{words:?}: {ended:?}");
    drop(recorder.wait().success());
}

/// A profile of our own tools, for our own tools.
#[test]
fn the_filter_allows_all_that_our_own_recordings_of_our_own_programs_hold() {
    privileged!();
    let folder = scratch();
    let mut generate = Command::new(seccomp_trace());
    generate.args(["generate", "--for", "none"]);
    for (index, words) in LAUNCHING.iter().chain(&ATTACHING).enumerate() {
        let kept = folder.path().join(format!("{index}.json"));
        record(words, &kept);
        generate.arg(kept);
    }
    if std::env::var_os("SECCOMP_TRACE_BLESS").is_some() {
        generate.arg("-i").arg(file("base.json")).arg("-o").arg(file("tracer.json"));
    } else {
        generate.arg("--compare").arg(file("tracer.json"));
    }
    let ended = finish(&mut generate).success();
    assert!(ended.stderr.contains("unused") || ended.stdout.is_empty(), "{ended:?}");
}

/// What stands in `base.json`, with its conditions, is what is allowed with conditions.
#[test]
fn the_filter_begins_with_what_was_written_by_hand_and_adds_names_alone() {
    let read = |name| -> Value {
        let text = fs::read_to_string(file(name)).expect("a file of this repository");
        serde_json::from_str(&text).expect("JSON")
    };
    let (base, made) = (read("base.json"), read("tracer.json"));
    let (base, made) =
        (base["syscalls"].as_array().expect("rules"), made["syscalls"].as_array().expect("rules"));
    assert_eq!(made[..base.len()], base[..]);
    for rule in &made[base.len()..] {
        let comment = rule["comment"].as_str().expect("a reason");
        assert!(comment.starts_with("seccomp-trace: "), "{rule}");
    }
}

/// Runs one of our programs under strace, confined, and returns the lines from the confinement on.
fn strace(words: &[&str]) -> Vec<String> {
    let folder = place();
    let mut target = ATTACHING.contains(&words).then(target);
    let mut command = Command::new("strace");
    command.current_dir(folder.path()).args(["-f", "-qq", "-o", "strace.log", "-b", "execve", "--"]);
    command.arg(seccomp_trace()).args(words);
    let ours = match &target {
        Some(target) => Running::start(command.args(["-p", &target.pid()])),
        None => Running::start(command.args(["--", "sh", "-c", DIES])),
    };
    if let Some(target) = &mut target {
        ours.wait_for_error("attached");
        target.go_on();
    }
    let ended = ours.wait();
    assert!(!ended.stderr.contains("not implemented"), "{words:?}: {ended:?}");
    let log = fs::read(folder.path().join("strace.log")).expect("strace writes its log");
    let lines: Vec<String> = String::from_utf8_lossy(&log).lines().map(str::to_owned).collect();
    let installed = |line: &&String| line.contains("SECCOMP_SET_MODE_FILTER") && line.contains("{len=");
    let at = lines.iter().position(|line| installed(&line) && line.ends_with("= 0"));
    lines[at.unwrap_or_else(|| panic!("{words:?}: no filter was installed: {lines:#?}")) + 1..].to_vec()
}

/// strace sees each call's end.
#[test]
fn nothing_is_denied_to_our_own_programs() {
    privileged!();
    for words in LAUNCHING.iter().chain(&ATTACHING) {
        let lines = strace(words);
        assert!(lines.len() > 10, "{words:?}: {lines:#?}");
        let denied: Vec<&String> = lines.iter().filter(|line| line.contains("ENOSYS")).collect();
        assert!(denied.is_empty(), "{words:?}: {denied:#?}");
    }
}

/// ^Z, and what a terminal's owner asks for, come while it is confined.
#[test]
fn a_confined_tracer_stops_and_goes_on() {
    privileged!();
    let folder = place();
    let mut target = target();
    let mut command = Command::new(seccomp_trace());
    let ours = Running::start(command.current_dir(folder.path()).args([
        "attach",
        "-o",
        "p.json",
        "-p",
        &target.pid(),
    ]));
    let _ = Privileges::once_confined(ours.pid());
    ours.signal(Signal::SIGTSTP);
    nix::sys::wait::waitpid(ours.pid(), Some(nix::sys::wait::WaitPidFlag::WUNTRACED))
        .expect("a child of ours");
    ours.signal(Signal::SIGCONT);
    target.go_on();
    drop(ours.wait().success());
    assert!(folder.path().join("p.json").exists());
}

/// A call that this system needs and the filter lacks must not cost what was recorded.
#[test]
fn a_denied_call_is_told_and_the_recording_is_not_lost() {
    privileged!();
    let folder = place();
    let denied = r#"{"names":["fsync"],"action":"SCMP_ACT_ERRNO","errnoRet":38}"#;
    let profile = format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{denied}]}}"#);
    fs::write(folder.path().join("no-fsync.json"), profile).expect("a file in a folder of ours");
    let under = |options: &[&str], temporary: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_under"));
        command.current_dir(folder.path()).env("TMPDIR", temporary).arg("no-fsync.json");
        finish(command.arg(seccomp_trace()).arg("run").args(options).args(["-o", "p.json", "--", "true"]))
    };
    let ended = under(&[], folder.path());
    assert_eq!(ended.code(), 125, "{ended:?}");
    assert!(
        ended.stderr.contains("--unconfined") && ended.stderr.contains("the recording is kept in"),
        "{ended:?}"
    );
    let ended = under(&["--unconfined"], Path::new("/no/such/folder"));
    assert!(!ended.stderr.contains("--unconfined"), "it is none of ours: {ended:?}");
    let printed = ended.stderr.find("{\n").expect("the recording itself");
    let printed = &ended.stderr[printed..=ended.stderr.rfind("\n}").expect("its end") + 1];
    let recording = Recording::from_json(printed).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    assert!(recording.calls().len() > 5, "{ended:?}");
}
