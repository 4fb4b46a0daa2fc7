//! The options of the second annotation, from the container to the file.

use std::fs;
use std::process::Command;

use seccomp_trace_core::Phase;
use seccomp_trace_tests::podman::{of, options};
use seccomp_trace_tests::{
    Podman, ProfileFile, calls, finish, read_recording, seccomp_trace, with_each_runtime, workload,
};
use serde_json::Value;

with_each_runtime!(
    a_recording_is_written_beside_the_profile,
    recordings_of_a_hook_make_the_same_profile_later,
    the_baseline_is_that_of_the_runtime_in_use,
    the_answer_to_denied_calls_can_be_chosen,
    both_forms_of_a_profile_are_accepted_by_the_engine,
    arguments_of_several_calls_become_conditions,
);

fn with(podman: &Podman, name: &str, chosen: &str) -> ProfileFile {
    let annotation = options(chosen);
    drop(podman.trace(&of(&podman.out(name)), &["--annotation", &annotation], &["ls", "/"]).success());
    podman.profile(name)
}

/// It names the container, and tells the runtime's calls from the workload's.
fn a_recording_is_written_beside_the_profile(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("recording.json");
    let profile = with(&podman, "ls.json", &format!("recording={}", file.display()));
    let recording = read_recording(&file);
    assert!(recording.losses().is_none(), "{:?}", recording.losses());
    let recorded = workload(&recording);
    assert!(recorded.is_superset(&calls(["getdents64", "write", "exit_group"])), "{recorded:?}");
    let names: Vec<_> = recorded.iter().filter_map(|call| call.name()).collect();
    assert!(profile.workload_has(&names), "{names:?} {profile:?}");
    let init: Vec<_> = recording.syscalls(Phase::RuntimeInit).collect();
    assert!(init.contains(calls(["execve"]).first().expect("one")), "{init:?}");
    let text = fs::read_to_string(&file).expect("the recording");
    for known in [runtime, "ls"] {
        assert!(text.contains(&format!("\"{known}\"")), "{known} is not in {text}");
    }
    podman.left(&["ls.json", "recording.json"]).nothing();
}

/// A profile is always derived; what it is derived from is the recording.
fn recordings_of_a_hook_make_the_same_profile_later(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("recording.json");
    let chosen = format!("for={runtime};recording={}", file.display());
    let profile = with(&podman, "ls.json", &chosen);
    let again = podman.path("again.json");
    let mut generate = Command::new(seccomp_trace());
    generate.arg("generate").arg(&file).args(["--for", runtime, "-o"]).arg(&again);
    drop(finish(&mut generate).success());
    assert_eq!(ProfileFile::read(&again), profile);
}

/// Nobody had to say which it is, and the other's calls are not allowed for nothing.
fn the_baseline_is_that_of_the_runtime_in_use(runtime: &str) {
    let podman = Podman::new(runtime);
    let groups = |profile: &ProfileFile| -> Vec<String> {
        let comments = profile.rules().iter().filter_map(|rule| rule["comment"].as_str());
        comments.map(|comment| comment.split(" - ").next().unwrap_or_default().to_owned()).collect()
    };
    drop(podman.trace(&of(&podman.out("own.json")), &[], &["ls", "/"]).success());
    let own = groups(&podman.profile("own.json"));
    let other = if runtime == "crun" { "runc" } else { "crun" };
    assert!(own.iter().any(|group| group.contains(&format!("({runtime})"))), "{own:?}");
    assert!(!own.iter().any(|group| group.contains(&format!("({other})"))), "{own:?}");

    let any = groups(&with(&podman, "any.json", "for=any"));
    assert!(any.iter().any(|group| group.contains("baseline") && group.contains(other)), "{any:?}");
    let none = groups(&with(&podman, "none.json", "for=none"));
    assert!(!none.iter().any(|group| group.contains("baseline")), "{none:?}");
}

fn the_answer_to_denied_calls_can_be_chosen(runtime: &str) {
    let podman = Podman::new(runtime);
    let profile = with(&podman, "eperm.json", "errno=eperm");
    assert_eq!(profile.json["defaultErrnoRet"], 1);
    let seccomp = format!("seccomp={}", podman.out("eperm.json").display());
    let denied = podman.run(&["--security-opt", &seccomp], &["mkdir", "/tmp/new"]);
    assert!(denied.stderr.contains("Operation not permitted"), "{denied:?}");
}

/// The engine's own profile has conditions and `archMap`, which an engine reads and a runtime does not.
fn both_forms_of_a_profile_are_accepted_by_the_engine(runtime: &str) {
    let podman = Podman::new(runtime);
    for (form, is_engines) in [("docker", true), ("oci", false)] {
        let file = podman.out(&format!("{form}.json"));
        let annotation = format!("if:/usr/share/containers/seccomp.json;{}", of(&file));
        let chosen = options(&format!("format={form}"));
        drop(podman.trace(&annotation, &["--annotation", &chosen], &["ls", "/"]).success());
        let profile = podman.profile(&format!("{form}.json"));
        let conditions = profile.rules().iter().filter(|rule| !rule["includes"].is_null()).count();
        assert_eq!(profile.json["archMap"].is_array(), is_engines, "{:?}", profile.json["archMap"]);
        assert_eq!(profile.json["architectures"].is_array(), !is_engines);
        assert_eq!(conditions > 0, is_engines, "{conditions} rules have conditions");
        let ran =
            podman.run(&["--security-opt", &format!("seccomp={}", file.display())], &["ls", "/"]).success();
        assert!(ran.stdout.contains("tracees\n"), "{ran:?}");
    }
}

/// podman splits what follows `--annotation` at commas, as a line of CSV: what is quoted stays together.
fn arguments_of_several_calls_become_conditions(runtime: &str) {
    let podman = Podman::new(runtime);
    let annotation = format!("\"{}\"", options("args=ioctl,socket;errno=eperm"));
    let given = ["--annotation", &annotation];
    let script = ["sh", "-c", "test -t 0; nc -w1 127.0.0.1 1; exit 0"];
    drop(podman.trace(&of(&podman.out("args.json")), &given, &script).success());
    let profile = podman.profile("args.json");
    for call in ["ioctl", "socket"] {
        let of_call = |rule: &&Value| rule["names"] == serde_json::json!([call]);
        let rules: Vec<_> = profile.rules().iter().filter(of_call).collect();
        assert!(!rules.is_empty(), "{call}: {profile:?}");
        assert!(rules.iter().all(|rule| rule["args"].is_array()), "{call}: {rules:?}");
    }
    assert_eq!(profile.json["defaultErrnoRet"], 1, "what follows the comma is there too");
}
