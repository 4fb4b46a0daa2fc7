//! What `verify` says to people, its statuses, and whom it runs the command as.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use seccomp_trace_tests::{Finished, copy_programs, finish, privileged, scratch, seccomp_trace};
use serde_json::json;

fn run(arguments: &[&str]) -> Finished {
    finish(Command::new(seccomp_trace()).arg("verify").args(arguments))
}

/// A profile that allows all but this call.
fn all_but(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(format!("all-but-{name}.json"));
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": [name], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]});
    fs::write(&path, profile.to_string()).expect("a file in a folder of ours");
    path
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// For people: one line a call on standard error, who, how often, by what rule, and what to do.
#[test]
fn a_denial_is_said_in_one_line_with_its_rule() {
    privileged!();
    let folder = scratch();
    let profile = all_but(folder.path(), "mkdir");
    let new = folder.path().join("new");
    let script = format!("mkdir {0} || mkdir {0} || true; echo out", text(&new));
    let found = run(&["--profile", text(&profile), "--", "sh", "-c", &script]);
    assert_eq!((found.code(), found.stdout.as_str()), (1, "out\n"), "{found:#?}");
    let said = |text: &str| assert!(found.stderr.contains(text), "{text}: {found:#?}");
    said("denied: mkdir (x86_64), 2 times, first by mkdir (pid ");
    said("SCMP_ACT_ERRNO 1: syscalls[0]");
    said("mkdir(0x");
    said("--update FILE2");
    assert!(!new.exists());
    let found = run(&["--profile", text(&profile), "--", "true"]);
    assert_eq!(found.code(), 0);
    assert!(found.stderr.contains("nothing was denied"), "{found:#?}");
    let found = run(&["-q", "--profile", text(&profile), "--", "mkdir", text(&new)]);
    assert_eq!(found.code(), 1);
    assert!(!found.stderr.contains("seccomp-trace"), "{found:#?}");
}

/// 2 is trouble, whatever the command would have ended with: nothing was found out.
#[test]
fn trouble_is_2_and_the_commands_status_is_its_own() {
    privileged!();
    let folder = scratch();
    let profile = all_but(folder.path(), "mkdir");
    let profile = text(&profile);
    let codes = [
        (&["--profile", profile, "--", "sh", "-c", "exit 7"][..], 0),
        (&["--profile", profile, "--status", "--", "sh", "-c", "exit 7"], 7),
        (&["--profile", profile, "--", "/nonexistent/program"], 2),
        (&["--profile", profile, "--status", "--", "/nonexistent/program"], 127),
        (&["--profile", profile, "--status", "--", "/etc/passwd"], 126),
        (&["--profile", "/nonexistent/profile", "--", "true"], 2),
        (&["--profile", profile], 2),
        (&["--", "true"], 2),
        (&["--profile", profile, "--machine", "aarch64", "--", "true"], 2),
        (&["--profile", profile, "--json", "--update", "-", "--", "true"], 2),
        (&["--profile", profile, "--update", "/nonexistent/folder/file", "--", "touch", "/nonexistent/x"], 2),
    ];
    for (arguments, code) in codes {
        let found = run(arguments);
        assert_eq!(found.code(), code, "{arguments:?}: {found:#?}");
    }
}

/// A command that cannot be found cannot say so where the profile denies it the words.
#[test]
fn a_command_that_is_never_executed_is_trouble_also_where_it_cannot_say_so() {
    privileged!();
    let folder = scratch();
    let profile = all_but(folder.path(), "write");
    let found = run(&["--profile", text(&profile), "--", "/nonexistent/program"]);
    assert_eq!(found.code(), 2, "{found:#?}");
    assert!(found.stderr.contains("was not executed"), "{found:#?}");
}

/// A filter without privileges needs `no_new_privs`, under which `sudo` and its like do not work: that must be said.
#[test]
fn without_privileges_and_as_another_user_no_new_privs_is_set_and_said() {
    privileged!();
    let folder = scratch();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))
        .expect("the mode of a folder of ours");
    let profile = all_but(folder.path(), "mkdir");
    let copy = folder.path().join("seccomp-trace");
    copy_programs(&[seccomp_trace()], &copy);
    let capabilities = "--inh-caps=+bpf,+perfmon,-sys_admin";
    let ambient = "--ambient-caps=+bpf,+perfmon";
    let verify = ["verify", "--profile", text(&profile)];
    let command = ["sh", "-c", "grep NoNewPrivs /proc/self/status; id -u"];
    let said = "no_new_privs";

    let root = run(&[&verify[1..], &["--"], &command[..]].concat());
    assert_eq!(root.stdout, "NoNewPrivs:\t0\n0\n", "{root:#?}");
    assert!(!root.stderr.contains(said), "{root:#?}");

    let user = run(&[&verify[1..], &["-u", "65534", "--"], &command[..]].concat());
    assert_eq!(user.stdout, "NoNewPrivs:\t1\n65534\n", "{user:#?}");
    assert!(user.stderr.contains(said), "{user:#?}");

    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups", capabilities, ambient]).arg(&copy);
    let nobody = finish(setpriv.args(verify).arg("--").args(command));
    assert_eq!(nobody.stdout, "NoNewPrivs:\t1\n65534\n", "{nobody:#?}");
    assert!(nobody.stderr.contains(said), "{nobody:#?}");

    // Nothing is installed, so nothing needs to be given up.
    let only = run(&[&verify[1..], &["--log-only", "-u", "65534", "--"], &command[..]].concat());
    assert_eq!(only.stdout, "NoNewPrivs:\t0\n65534\n", "{only:#?}");
    assert!(!only.stderr.contains(said), "{only:#?}");
}
