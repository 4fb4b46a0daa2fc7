//! A profile that was made from a bare command starts a container with that command, under each runtime, thanks to the
//! baselines; and what was not recorded is denied in it.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{Finished, copy_programs, finish, full, privileged, scratch, seccomp_trace};
use serde_json::{Value, json};

/// crun refuses a hybrid cgroup tree; in a mount namespace of its own it finds no unified one.
const START: &str = "controllers=/sys/fs/cgroup/unified/cgroup.controllers
if test -e $controllers; then mount --bind /dev/null $controllers; fi
exec \"$0\" run --bundle \"$1\" \"$2\"";

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// A bundle of busybox alone, whose process runs `args` under `profile`.
fn bundle(folder: &Path, profile: &Value, args: &[&str], no_new_privileges: bool) {
    let spec = finish(Command::new("runc").current_dir(folder).arg("spec"));
    let path = folder.join("config.json");
    assert!(path.exists(), "{spec:?}");
    let mut config: Value = serde_json::from_slice(&fs::read(&path).expect("a config")).expect("JSON");
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(args);
    config["process"]["noNewPrivileges"] = json!(no_new_privileges);
    // Limits cannot be raised everywhere.
    config["process"]["rlimits"] = json!([]);
    config["linux"]["seccomp"] = profile.clone();
    fs::write(&path, config.to_string()).expect("a file in a folder of ours");
}

fn start(runtime: &str, bundle: &Path, name: &str) -> Finished {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "sh", "-c", START, runtime]);
    finish(unshare.arg(bundle).arg(name))
}

fn containers_start(runtime: &str) {
    if !["runc", "busybox", runtime].into_iter().all(is_installed) {
        eprintln!("left out: {runtime}, runc (for its bundle) or busybox is not installed");
        return;
    }
    let folder = scratch();
    let (root, profile) = (folder.path().join("rootfs"), folder.path().join("profile.json"));
    for name in ["bin", "proc", "dev", "sys", "tmp"] {
        fs::create_dir_all(root.join(name)).expect("a folder");
    }
    let which = finish(Command::new("sh").args(["-c", "command -v busybox"])).success().stdout;
    copy_programs(&[which.trim()], &root.join("bin/busybox"));
    let mut run = Command::new(seccomp_trace());
    run.args(["run", "-q", "--for", runtime, "-o"]).arg(&profile);
    let _ = finish(run.args(["--", "busybox", "ls", "/"])).success();
    let profile: Value = serde_json::from_slice(&fs::read(&profile).expect("a profile")).expect("JSON");
    let id = std::process::id();
    for no_new_privileges in [true, false] {
        bundle(folder.path(), &profile, &["/bin/busybox", "ls", "/"], no_new_privileges);
        // Go preempts by signal now and then: a profile that misses rt_sigreturn fails one start in ten.
        for round in 0..if full() { 100 } else { 10 } {
            let name = format!("st-{runtime}-{id}-{no_new_privileges}-{round}");
            let finished = start(runtime, folder.path(), &name);
            assert!(finished.status.success() && finished.stdout.contains("bin\n"), "{name}: {finished:?}");
        }
    }
    bundle(folder.path(), &profile, &["/bin/busybox", "mkdir", "/tmp/new"], false);
    let denied = start(runtime, folder.path(), &format!("st-{runtime}-{id}-denied"));
    assert!(!denied.status.success(), "{denied:?}");
    assert!(denied.stderr.contains("Function not implemented"), "ENOSYS from mkdir: {denied:?}");
}

#[test]
fn runc_starts_containers_under_a_commands_profile() {
    privileged!();
    containers_start("runc");
}

#[test]
fn crun_starts_containers_under_a_commands_profile() {
    privileged!();
    containers_start("crun");
}
