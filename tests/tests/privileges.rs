//! Once its target is armed, a tracer has given up what it needs no more, and its target nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, chown};
use seccomp_trace_tests::privileges::{BPF, FILES, KILL, Privileges};
use seccomp_trace_tests::{Running, copy_programs, finish, privileged, scratch, seccomp_trace};

const NOBODY: u32 = 65534;

fn start(folder: &Path, words: &[&str]) -> Running {
    Running::start(Command::new(seccomp_trace()).current_dir(folder).args(words))
}

/// The table in SECURITY.md.
#[test]
fn each_verb_keeps_the_capabilities_that_it_is_said_to_keep_and_no_others() {
    privileged!();
    let folder = scratch();
    let profile = folder.path().join("any.json");
    fs::write(&profile, r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#).expect("a file in a folder of ours");
    let target = Running::start(Command::new("sleep").arg("1000"));
    let pid = target.pid().to_string();
    let sleep = ["--", "sleep", "1000"];
    let verbs: [(&[&str], &[&str], u64); 10] = [
        (&["run"], &sleep, KILL),
        (&["run", "-o", "-"], &sleep, KILL),
        (&["run", "-o", "p.json"], &sleep, KILL | FILES),
        (&["run", "--recording", "r.json"], &sleep, KILL | FILES),
        (&["trace", "-o", "log"], &sleep, KILL),
        (&["trace", "-ff", "-o", "log"], &sleep, KILL | FILES),
        (&["trace", "-p", &pid], &[], 0),
        (&["attach", "-p", &pid], &[], 0),
        (&["attach", "-p", &pid, "-o", "p.json"], &[], FILES),
        (&["verify", "--profile", "any.json"], &sleep, KILL),
    ];
    for (verb, command, expected) in verbs {
        let tracer = start(folder.path(), &[verb, command].concat());
        Privileges::once_confined(tracer.pid()).assert_left(expected, &format!("{verb:?}"));
    }
}

/// It was made before anything was given up.
#[test]
fn the_command_has_the_privileges_of_who_called_us() {
    privileged!();
    let folder = scratch();
    let read = ["cat", "/proc/self/status"];
    let direct = finish(Command::new(read[0]).args(&read[1..])).success();
    let own = Privileges::read(&direct.stdout);
    fs::write(folder.path().join("any.json"), r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#)
        .expect("a file in a folder of ours");
    for verb in [&["run", "-q", "-o", "p.json"][..], &["trace", "-o", "log"]] {
        let ours = start(folder.path(), &[verb, &["--"], &read].concat()).wait().success();
        assert_eq!(Privileges::read(&ours.stdout), own, "{verb:?}");
    }
}

/// The remedy where it is in the way.
#[test]
fn who_wants_to_keep_everything_can() {
    privileged!();
    let folder = scratch();
    let status = "cat /proc/$PPID/status";
    let ours = start(folder.path(), &["run", "--unconfined", "-q", "-o", "p.json", "--", "sh", "-c", status]);
    let ours = Privileges::read(&ours.wait().success().stdout);
    let direct = finish(Command::new("cat").arg("/proc/self/status")).success();
    assert_eq!(ours, Privileges::read(&direct.stdout));
}

/// `CAP_KILL`.
#[test]
fn a_signal_reaches_a_command_of_another_user() {
    privileged!();
    let folder = scratch();
    let tracer = start(folder.path(), &["run", "-q", "-u", "65534", "--", "sleep", "1000"]);
    let _ = Privileges::once_confined(tracer.pid());
    tracer.signal(Signal::SIGTERM);
    assert_eq!(tracer.wait().signal(), Some(nix::libc::SIGTERM));
}

/// `CAP_DAC_OVERRIDE`, `CAP_CHOWN` and `CAP_FOWNER`.
#[test]
fn a_file_of_another_user_in_a_directory_of_theirs_is_replaced_and_stays_theirs() {
    privileged!();
    let folder = scratch();
    let theirs = folder.path().join("theirs");
    let file = theirs.join("p.json");
    fs::create_dir(&theirs).expect("a folder in a folder of ours");
    fs::write(&file, "old").expect("a file in a folder of ours");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("its mode");
    for path in [&theirs, &file] {
        chown(path, Some(Uid::from_raw(NOBODY)), Some(Gid::from_raw(NOBODY))).expect("root may");
    }
    let before = fs::metadata(&file).expect("the file");
    let tracer = start(folder.path(), &["run", "-q", "-o", "theirs/p.json", "--", "sleep", "1000"]);
    let _ = Privileges::once_confined(tracer.pid());
    tracer.signal(Signal::SIGTERM);
    let ended = tracer.wait();
    assert_eq!(ended.stderr, "", "{ended:?}");
    let after = fs::metadata(&file).expect("the file");
    assert_ne!(after.ino(), before.ino(), "it was not replaced");
    assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (NOBODY, NOBODY, 0o640));
}

/// With fewer capabilities than before, it could else be traced by a command of the same user.
#[test]
fn a_command_of_the_same_user_cannot_reach_into_its_tracer() {
    privileged!();
    let folder = scratch();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("its mode");
    copy_programs(&[seccomp_trace()], folder.path());
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let may = ["--inh-caps=-all,+bpf,+perfmon", "--ambient-caps=-all,+bpf,+perfmon"];
    let script = "until grep -q 'Seccomp:.2' /proc/$PPID/status; do :; done; ls /proc/$PPID/fd";
    let tracer = ["./seccomp-trace", "run", "-q", "--", "setpriv", "--inh-caps=-all", "--ambient-caps=-all"];
    let mut command = Command::new("setpriv");
    command.current_dir(folder.path()).args(nobody).args(may).args(tracer).args(["sh", "-c", script]);
    let ended = finish(&mut command);
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert!(ended.stderr.contains("Permission denied"), "{ended:?}");
}

/// Before Linux 5.19, where unprivileged BPF is switched off, whoever reads a map needs a capability for it.
#[test]
fn what_reading_the_maps_takes_is_kept() {
    privileged!();
    let ended = finish(Command::new(env!("CARGO_BIN_EXE_confined")).arg("old")).success();
    assert_eq!(u64::from_str_radix(ended.stdout.trim(), 16), Ok(BPF), "{ended:?}");
}

fn answers(confined: &str) -> BTreeMap<String, String> {
    let ended = finish(Command::new(env!("CARGO_BIN_EXE_confined")).arg(confined)).success();
    let pairs = ended.stdout.lines().filter_map(|line| line.split_once(": "));
    pairs.map(|(name, answer)| (name.to_owned(), answer.to_owned())).collect()
}

/// The kernel itself says so, and it says something else where nothing is denied.
#[test]
fn calls_that_a_tracer_does_not_make_are_denied_by_the_kernel() {
    privileged!();
    let (confined, free) = (answers("yes"), answers("no"));
    assert!(confined.len() > 35, "{confined:?}");
    let names: Vec<&String> = confined.keys().collect();
    assert_eq!(names, free.keys().collect::<Vec<_>>());
    let mut proved = 0;
    for (name, answer) in &confined {
        assert_eq!(answer, "ENOSYS", "{name}");
        // A kernel may be built without a call.
        proved += usize::from(free[name] != "ENOSYS");
    }
    assert!(proved > 30, "{free:?}");
}
