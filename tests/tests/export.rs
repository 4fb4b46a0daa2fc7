//! `seccomp-trace export`: files and recordings into every format, and what a process makes of the compiled one.
//! No root.

use std::fs;
use std::path::Path;
use std::process::Command;

use seccomp_trace_tests::{Finished, finish, scratch, seccomp_trace};

const PROFILE: &str = r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [
    {"names": ["read", "write", "exit_group", "execve"], "action": "SCMP_ACT_ALLOW", "comment": "seccomp-trace: workload"},
    {"names": ["capset"], "action": "SCMP_ACT_ALLOW", "comment": "seccomp-trace: baseline (crun)"}]}"#;

const RECORDING: &str = r#"{"seccomp_trace_recording": 1, "runs": {}, "syscalls": [
    {"arch": "x86_64", "nr": 0, "workload": {}}, {"arch": "x86_64", "nr": 1, "workload": {}}]}"#;

fn export(folder: &Path, arguments: &[&str]) -> Finished {
    finish(Command::new(seccomp_trace()).current_dir(folder).arg("export").args(arguments))
}

#[test]
fn a_profile_and_a_recording_are_told_apart_and_exported() {
    let folder = scratch();
    fs::write(folder.path().join("p.json"), PROFILE).unwrap();
    fs::write(folder.path().join("r.json"), RECORDING).unwrap();
    let machine = ["--machine", "x86_64"];
    let list = export(folder.path(), &[&["--format", "list", "p.json"][..], &machine].concat()).success();
    assert_eq!(list.stdout, "execve\nexit_group\nread\nwrite\n");
    assert!(list.stderr.contains("capset"), "what is left out is said: {}", list.stderr);
    let list = export(folder.path(), &[&["--format", "list", "r.json"][..], &machine].concat()).success();
    assert!(list.stdout.contains("read\n") && list.stdout.contains("rt_sigreturn\n"), "{list:?}");
    assert!(!list.stdout.contains("capset"), "{list:?}");
    for format in ["oci", "docker", "kubernetes", "systemd", "seccompiler", "bpf", "pfc"] {
        let output = format!("out.{format}");
        let words = ["--format", format, "p.json", "-o", &output];
        let _ = export(folder.path(), &[&words[..], &machine].concat()).success();
        assert!(fs::metadata(folder.path().join(output)).unwrap().len() > 50, "{format}");
    }
}

#[test]
fn trouble_is_2_names_the_file_and_writes_nothing() {
    let folder = scratch();
    let text = PROFILE.replace(
        "\"comment\": \"seccomp-trace: workload\"",
        "\"args\": [{\"index\": 0, \"value\": 1, \"op\": \"SCMP_CMP_EQ\"}]",
    );
    fs::write(folder.path().join("args.json"), text).unwrap();
    fs::write(folder.path().join("bad.json"), "{\"defaultAction\": 1}").unwrap();
    for (words, named) in [
        (
            &["--format", "systemd", "args.json", "-o", "out"][..],
            &["args.json", "syscalls[0]", "--widen"][..],
        ),
        (&["--format", "list", "bad.json", "-o", "out"], &["bad.json", "defaultAction"]),
        (&["--format", "list", "missing.json", "-o", "out"], &["missing.json"]),
        (&["--format", "toml", "bad.json", "-o", "out"], &["toml", "kubernetes"]),
        (&["--format", "oci", "args.json", "--caps", "SYS_ADMN", "-o", "out"], &["SYS_ADMN"]),
    ] {
        let finished = export(folder.path(), words);
        assert_eq!(finished.code(), 2, "{words:?}: {finished:?}");
        for word in named {
            assert!(finished.stderr.contains(word), "{words:?}: {word}: {}", finished.stderr);
        }
        assert!(!folder.path().join("out").exists(), "{words:?}");
    }
}

/// The kernel itself takes the bytes, and denies what is not in them.
#[test]
fn a_process_loads_the_compiled_filter() {
    let folder = scratch();
    let names = "\"getpid\", \"write\", \"exit_group\", \"rt_sigreturn\", \"sigaltstack\", \"munmap\", \"close\", \"brk\"";
    let text = PROFILE.replace("\"read\", \"write\", \"exit_group\", \"execve\"", names);
    fs::write(folder.path().join("p.json"), text).unwrap();
    let _ = export(folder.path(), &["--format", "bpf", "p.json", "-o", "filter"]).success();
    let program = seccomp_trace().with_file_name("load-filter");
    let finished = finish(Command::new(program).current_dir(folder.path()).arg("filter")).success();
    assert_eq!(finished.stdout, "getpid: allowed\ngetppid: ENOSYS\n");
}
