//! The hook may open few files: a container is recorded in full, or it is not started and that is said; what its end cannot
//! write, `cleanup` can.

use std::fs;

use seccomp_trace_tests::podman::of;
use seccomp_trace_tests::{Finished, Podman, calls, full, read_recording, say, with_each_runtime, workload};
use serde_json::{Value, json};

with_each_runtime!(
    a_hook_with_too_few_files_starts_no_container_that_it_cannot_record,
    a_profile_that_takes_more_files_than_there_are_at_the_end_is_written_by_cleanup,
);

/// In `make test` fewer of them.
fn limits() -> impl Iterator<Item = u32> {
    (3..64).step_by(if full() { 1 } else { 6 })
}

/// Puts a script in the hook's place: where the State names this status, it lowers the limit to what the file `limit` says,
/// without the capability to raise it again.
fn limit_hooks(podman: &Podman, status: &str) {
    let script = podman.path("limited");
    let (limit, hook) = (podman.path("limit"), podman.hook().path());
    let text = format!(
        "state=$(cat)\ncase $state in *{status}*) limit=$(cat {}) ;; *) limit=1024 ;; esac\n\
         exec prlimit --nofile=$limit:$limit setpriv --bounding-set=-sys_resource {} \"$@\" <<.\n$state\n.\n",
        limit.display(),
        hook.display()
    );
    fs::write(&script, text).expect("a file in a folder of ours");
    for number in 0..2 {
        let path = podman.path("hooks.d").join(format!("hook-{number}.json"));
        let mut file: Value = serde_json::from_slice(&fs::read(&path).expect("a hook file")).expect("JSON");
        file["hook"]["path"] = json!("/bin/sh");
        // The name that the hook is called by is the script's now.
        file["hook"]["args"].as_array_mut().expect("a list").splice(..1, [json!("sh"), json!(script)]);
        fs::write(path, file.to_string()).expect("a file in a folder of ours");
    }
}

fn trace(podman: &Podman, files: u32) -> Finished {
    fs::write(podman.path("limit"), files.to_string()).expect("a file in a folder of ours");
    podman.trace(&of(&podman.out("p.json")), &[], &["/tracees/caller", "getpgid"])
}

/// Whether a profile is there that has what was called. It is removed.
fn wrote(podman: &Podman) -> bool {
    let there = podman.out("p.json").exists();
    assert!(!there || podman.profile("p.json").workload_has(&["getpgid"]), "the profile is not complete");
    let _ = fs::remove_file(podman.out("p.json"));
    there
}

/// More is never worse: there is one number from which on it works.
fn a_hook_with_too_few_files_starts_no_container_that_it_cannot_record(runtime: &str) {
    let podman = Podman::new(runtime);
    limit_hooks(&podman, "creat");
    let mut needed = None;
    for files in limits() {
        let before = podman.said().len();
        let ran = trace(&podman, files);
        if ran.status.success() {
            let _ = needed.get_or_insert(files);
            assert!(wrote(&podman), "{files}: started, and no profile: {ran:?} {:#?}", podman.said());
        } else {
            assert_eq!(needed, None, "{files} files are too few, and less were enough: {ran:?}");
            assert!(!wrote(&podman), "{files}: {ran:?}");
            // With 127 the dynamic linker has ended, whose words crun throws away.
            let said = podman.said().split_off(before).join("\n");
            let why = ["open files", "open enough files"].iter().any(|text| said.contains(text));
            assert!(why || ran.stderr.contains("127"), "{files}: {ran:?} {said}");
            // Where not even its lock can be opened, its folder is the next one's to remove.
            drop(podman.cleanup().success());
        }
        podman.left(&[]).nothing();
    }
    let needed = needed.expect("63 files are enough");
    say(&format!("{runtime}: the hook needs at most {needed} open files to start"));
    assert!(needed > 7, "the limit had no effect");
}

fn a_profile_that_takes_more_files_than_there_are_at_the_end_is_written_by_cleanup(runtime: &str) {
    let podman = Podman::new(runtime);
    limit_hooks(&podman, "stopped");
    let (mut at_once, mut kept, mut later) = (0, 0, 0);
    for files in limits() {
        // What fails at poststop is no concern of the container's.
        let _ = trace(&podman, files).success();
        if wrote(&podman) {
            at_once += 1;
        } else if let Some(path) = podman.kept_recordings().iter().find(|path| path.exists()) {
            let recorded = workload(&read_recording(path));
            assert!(recorded.is_superset(&calls(["getpgid"])), "{files}: {recorded:?}");
            fs::remove_file(path).expect("a file of ours");
            kept += 1;
        } else {
            drop(podman.cleanup().success());
            assert!(wrote(&podman), "{files}: lost; the log: {:#?}", podman.said());
            later += 1;
        }
        podman.left(&[]).nothing();
    }
    say(&format!(
        "{runtime}: few files at the end: {at_once} profiles written, {later} by cleanup, {kept} recordings kept"
    ));
    assert!(later > 0 && at_once > 0, "the limit had no effect");
}
