//! A profile to start from (`if:`): what it allows stays allowed, what it blocks stays blocked, and all else of it stays.

use std::fs;
use std::path::Path;

use seccomp_trace_tests::podman::of;
use seccomp_trace_tests::{Podman, ProfileFile, with_each_runtime};
use serde_json::{Value, json};

with_each_runtime!(
    what_the_input_allowed_and_what_the_run_added_both_work,
    what_the_input_blocks_stays_blocked,
    an_input_that_no_profile_can_be_made_of_is_refused_at_the_start,
    the_input_and_the_output_may_be_one_file,
    the_engines_own_profile_is_extended,
    rules_of_the_input_stay_as_they_are,
);

fn from(input: &Path, output: &Path) -> String {
    format!("if:{};of:{}", input.display(), output.display())
}

fn write(path: &Path, profile: &Value) {
    fs::write(path, profile.to_string()).expect("a file in a folder of ours");
}

fn seccomp(path: &Path) -> String {
    format!("seccomp={}", path.display())
}

fn what_the_input_allowed_and_what_the_run_added_both_work(runtime: &str) {
    let podman = Podman::new(runtime);
    let (one, two) = (podman.out("one.json"), podman.out("two.json"));
    drop(podman.trace(&of(&one), &[], &["ls", "/"]).success());
    drop(podman.trace(&from(&one, &two), &[], &["mkdir", "/tmp/new"]).success());
    let (before, after) = (podman.profile("one.json"), podman.profile("two.json"));
    assert!(after.rules().starts_with(before.rules()), "rules of the input changed: {after:?}");
    assert!(
        !after.rules()[before.rules().len()..].iter().any(|rule| rule["names"] == json!([])),
        "{after:?}"
    );
    for command in [&["ls", "/"][..], &["mkdir", "/tmp/new"]] {
        drop(podman.run(&["--security-opt", &seccomp(&two)], command).success());
    }
    let denied = podman.run(&["--security-opt", &seccomp(&two)], &["ln", "-s", "/a", "/tmp/b"]);
    assert!(!denied.status.success(), "{denied:?}");
}

/// The run calls it, since its own filter is the engine's; the output must not allow what the input forbids.
fn what_the_input_blocks_stays_blocked(runtime: &str) {
    let podman = Podman::new(runtime);
    let (input, output) = (podman.path("input.json"), podman.out("output.json"));
    let blocked = json!({ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 });
    write(&input, &json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [blocked] }));
    drop(podman.trace(&from(&input, &output), &[], &["mkdir", "/tmp/new"]).success());
    let allowed = podman.profile("output.json").allowed();
    assert!(!allowed.contains("mkdir") && !allowed.contains("mkdirat"), "{allowed:?}");
    let denied = podman.run(&["--security-opt", &seccomp(&output)], &["mkdir", "/tmp/new"]);
    assert_eq!(denied.code(), 1, "{denied:?}");
    assert!(denied.stderr.contains("Operation not permitted"), "the input's own errno: {denied:?}");
    let said = podman.said();
    let told = |line: &String| line.starts_with("<11>") && line.contains("observed, not allowed here");
    assert!(said.iter().any(|line| told(line) && line.contains("mkdir")), "{said:?}");
}

/// Found when the container starts, and not when it has ended and all that is left is a recording.
fn an_input_that_no_profile_can_be_made_of_is_refused_at_the_start(runtime: &str) {
    let podman = Podman::new(runtime);
    let input = podman.path("input.json");
    let rule = json!({ "names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99999 });
    let both = json!([{ "architecture": "SCMP_ARCH_X86_64", "subArchitectures": [] }]);
    for profile in [
        json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule] }),
        json!({ "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"], "archMap": both }),
    ] {
        write(&input, &profile);
        let ran = podman.trace(&from(&input, &podman.out("output.json")), &[], &["echo", "it runs"]);
        assert!(!ran.status.success() && !ran.stdout.contains("it runs"), "{ran:?}");
        let said = podman.said();
        let told = |line: &String| {
            line.starts_with("<10>") && line.contains("no profile can be made from this base")
        };
        assert!(said.iter().any(told), "{said:?}");
    }
    podman.left(&[]).nothing();
}

/// Run after run, one file grows to what all of them need.
fn the_input_and_the_output_may_be_one_file(runtime: &str) {
    let podman = Podman::new(runtime);
    let file = podman.out("grows.json");
    let commands: [&[&str]; 3] = [&["ls", "/"], &["mkdir", "/tmp/new"], &["ln", "-s", "/a", "/tmp/b"]];
    drop(podman.trace(&of(&file), &[], commands[0]).success());
    for command in &commands[1..] {
        drop(podman.trace(&from(&file, &file), &[], command).success());
    }
    for command in commands {
        drop(podman.run(&["--security-opt", &seccomp(&file)], command).success());
    }
    podman.left(&["grows.json"]).nothing();
}

/// It names its ABIs in `archMap`, and podman rejects a file that has `architectures` beside that.
fn the_engines_own_profile_is_extended(runtime: &str) {
    let podman = Podman::new(runtime);
    let output = podman.out("output.json");
    let input = Path::new("/usr/share/containers/seccomp.json");
    drop(podman.trace(&from(input, &output), &[], &["ls", "/"]).success());
    let (before, after) = (ProfileFile::read(input), podman.profile("output.json"));
    assert!(after.json["architectures"].is_null(), "{:?}", after.json["architectures"]);
    assert!(after.json["archMap"].is_array());
    assert!(after.rules().starts_with(before.rules()), "rules of the input changed");
    assert_eq!(after.json["defaultErrnoRet"], before.json["defaultErrnoRet"]);
    let ran = podman.run(&["--security-opt", &seccomp(&output)], &["ls", "/"]).success();
    assert!(ran.stdout.contains("tracees\n"), "{ran:?}");
}

/// Whatever it holds that the output has no use for: an action, an argument, a condition, a comment.
fn rules_of_the_input_stay_as_they_are(runtime: &str) {
    let podman = Podman::new(runtime);
    let (input, output) = (podman.path("input.json"), podman.out("output.json"));
    let rules = json!([
        { "names": ["personality"], "action": "SCMP_ACT_ALLOW",
          "args": [{ "index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_EQ" }],
          "comment": "mine", "includes": {}, "excludes": {} },
        { "names": ["bpf"], "action": "SCMP_ACT_ALLOW", "args": [], "comment": "",
          "includes": { "caps": ["CAP_SYS_ADMIN"], "minKernel": "4.8" }, "excludes": {} },
        { "names": ["getpgid"], "action": "SCMP_ACT_ERRNO", "args": [], "comment": "", "includes": {},
          "excludes": { "arches": ["s390"] }, "errnoRet": 11, "errno": "EAGAIN" },
    ]);
    write(&input, &json!({ "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 13, "syscalls": rules }));
    drop(podman.trace(&from(&input, &output), &[], &["/tracees/caller", "getpgid"]).success());
    let profile = podman.profile("output.json");
    let kept: Vec<_> = profile.rules().iter().take(3).cloned().map(without_empty).collect();
    let given: Vec<_> = rules.as_array().expect("a list").iter().cloned().map(without_empty).collect();
    assert_eq!(kept, given);
    assert_eq!(profile.json["defaultAction"], "SCMP_ACT_ERRNO", "upstream forces it");
    assert_eq!(profile.json["defaultErrnoRet"], 13, "the input's own");
    assert!(!profile.workload().contains("getpgid"), "it is the input's to decide about it");
}

/// A rule without members that say nothing: engines read both alike.
fn without_empty(mut rule: Value) -> Value {
    let members = rule.as_object_mut().expect("a rule");
    members.retain(|_, value| {
        *value != json!({}) && *value != json!([]) && *value != json!("") && !value.is_null()
    });
    rule
}
