//! Containers without an engine: the runtime itself runs the hooks that a bundle's `config.json` names. And strace, which
//! can be put around a runtime, as an independent recorder of the same run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use seccomp_trace_core::{Recording, Syscall};
use seccomp_trace_tests::bundle::Bundle;
use seccomp_trace_tests::podman::of;
use seccomp_trace_tests::strace::calls_of_command;
use seccomp_trace_tests::{
    Finished, Podman, ProfileFile, Running, assert_same, calls, finish, read_recording, say, tracee,
    with_each_runtime, workload,
};
use serde_json::{Value, json};

with_each_runtime!(
    a_runtime_alone_gives_a_complete_profile,
    a_runtime_alone_starts_containers_under_it,
    two_bundles_share_one_instance,
    a_hook_that_fails_stops_the_container,
    a_container_whose_end_goes_on_when_it_is_told_gets_its_profile,
    the_wrong_stages_are_refused_and_the_right_ones_named,
    the_workload_is_what_strace_saw_without_a_filter,
    the_workload_is_what_strace_saw_under_a_filter,
    strace_sees_the_same_of_threads_and_exec,
);

/// A filter that denies one call, which nothing here makes.
fn filter() -> Value {
    let rule = json!({ "names": ["reboot"], "action": "SCMP_ACT_ERRNO" });
    json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule] })
}

/// A runtime, in the mount namespace of an environment whose podman is not used.
struct Runtime {
    place: Podman,
    name: String,
}

impl Runtime {
    fn new(runtime: &str) -> Self {
        Self { place: Podman::new(runtime), name: runtime.to_owned() }
    }

    /// A bundle that is traced into `annotation`, by the hooks that our hook files name.
    fn bundle(&self, name: &str, annotation: &str, args: &[&str]) -> Bundle {
        let (hook, state) = (self.place.hook().path(), self.place.path("state").display().to_string());
        let arguments = |more: &[&str]| {
            let words = [&["oci-seccomp-bpf-hook", "-s", "--poststop", "--state-dir", &state], more].concat();
            words.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        Bundle::make(&self.place.path(name), args)
            .annotation("io.containers.trace-syscall", annotation)
            .hook(hook, &arguments(&[]), &["prestart", "poststop"])
            .hook(hook, &arguments(&["--again"]), &["poststop"])
    }

    /// The words that run a bundle to its end.
    fn words(&self, bundle: &Path) -> Vec<String> {
        [
            &self.base()[..],
            &["run", "--bundle", &bundle.display().to_string(), &self.id(bundle)].map(str::to_owned),
        ]
        .concat()
    }

    /// The words that every command of the runtime begins with.
    fn base(&self) -> Vec<String> {
        [&self.name, "--root", &self.place.path("runtime").display().to_string()].map(str::to_owned).to_vec()
    }

    fn id(&self, bundle: &Path) -> String {
        let name = bundle.file_name().expect("a name").to_string_lossy().into_owned();
        // A runtime kills whatever is in the cgroup that has a container's id for its name, so ids are unique on the machine.
        let place = self.place.path("").file_name().expect("a name").to_string_lossy().replace('.', "");
        format!("{name}-{place}")
    }

    fn start(&self, bundle: &Path) -> Running {
        let words = self.words(bundle);
        Running::start(self.place.inside(&words[0]).args(&words[1..]).stdin(Stdio::null()))
    }

    fn run(&self, bundle: &Path) -> Finished {
        self.start(bundle).wait()
    }

    /// Runs it under strace; gives the log.
    fn under_strace(&self, bundle: &Path) -> String {
        let log = self.place.path("strace.log");
        let mut strace = self.place.inside("strace");
        strace.args(["-f", "-n", "-qq", "--decode-pids=pidns", "-o"]).arg(&log).arg("--");
        drop(finish(strace.args(self.words(bundle))).success());
        String::from_utf8_lossy(&std::fs::read(&log).expect("strace writes its log")).into_owned()
    }

    fn out(&self, name: &str) -> PathBuf {
        self.place.out(name)
    }
}

fn a_runtime_alone_gives_a_complete_profile(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let bundle = runtime.bundle("one", &of(&runtime.out("one.json")), &["ls", "/"]);
    let ran = runtime.run(bundle.write()).success();
    assert!(ran.stdout.contains("tracees\n"), "{ran:?}");
    assert!(runtime.place.profile("one.json").workload_has(&["getdents64", "write", "exit_group"]));
    runtime.place.left(&["one.json"]).nothing();
}

fn a_runtime_alone_starts_containers_under_it(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let file = runtime.out("one.json");
    let bundle = runtime.bundle("one", &of(&file), &["ls", "/"]);
    drop(runtime.run(bundle.write()).success());
    let profile = ProfileFile::read(&file).json;
    let confined = Bundle::make(&runtime.place.path("confined"), &["ls", "/"]).seccomp(&profile);
    let ran = runtime.run(confined.write()).success();
    assert!(ran.stdout.contains("tracees\n"), "{ran:?}");
    let denied = Bundle::make(&runtime.place.path("denied"), &["mkdir", "/tmp/new"]).seccomp(&profile);
    let ran = runtime.run(denied.write());
    assert!(!ran.status.success() && ran.stderr.contains("Function not implemented"), "{ran:?}");
}

/// Their profiles do not mix, and whichever ends last takes everything away.
fn two_bundles_share_one_instance(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let shared = runtime.place.path("shared");
    std::fs::create_dir(&shared).expect("a folder in a folder of ours");
    let own = ["getpgid", "eventfd2"];
    // Each waits for the other, so both are there at the same time.
    let script = "/tracees/caller $0; : >/shared/$0; while ! [ -e /shared/$1 ]; do sleep 0.01; done";
    let running = [(own[0], own[1]), (own[1], own[0])].map(|(call, other)| {
        let annotation = of(&runtime.out(&format!("{call}.json")));
        let bundle = runtime.bundle(call, &annotation, &["sh", "-c", script, call, other]);
        runtime.start(bundle.mount(&shared, "/shared").write())
    });
    for runtime in running {
        drop(runtime.wait().success());
    }
    for (call, other) in [(own[0], own[1]), (own[1], own[0])] {
        let workload = runtime.place.profile(&format!("{call}.json")).workload();
        assert!(workload.contains(call) && !workload.contains(other), "{call}: {workload:?}");
    }
    runtime.place.left(&["getpgid.json", "eventfd2.json"]).nothing();
}

fn a_hook_that_fails_stops_the_container(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let bundle = runtime.bundle("bad", "of:relative.json", &["echo", "it runs"]);
    let ran = runtime.run(bundle.write());
    assert!(!ran.status.success() && !ran.stdout.contains("it runs"), "{ran:?}");
    let said = runtime.place.said();
    assert!(
        said.iter().any(|line| line.starts_with("<10>") && line.contains("invalid annotation")),
        "{said:?}"
    );
    runtime.place.left(&[]).nothing();
}

/// The first process of a pid namespace ends when all others have been reaped, and who entered from outside is not its to
/// reap. crun tells of the end before.
fn a_container_whose_end_goes_on_when_it_is_told_gets_its_profile(runtime: &str) {
    if runtime == "runc" {
        say("left out: runc waits for that end, and fails where it does not come");
        return;
    }
    let runtime = Runtime::new(runtime);
    let bundle =
        runtime.bundle("held", &of(&runtime.out("held.json")), &["sh", "-c", "echo up; exec sleep 1000"]);
    let path = bundle.write().to_owned();
    let (base, id) = (runtime.base().join(" "), runtime.id(&path));
    let script = format!(
        "set -e; {base} run -d --bundle {} {id} < /dev/null > /dev/null 2>&1
         {base} exec -d {id} /tracees/caller getpgid; {base} exec -d {id} sleep 1000; {base} delete -f {id}",
        path.display()
    );
    drop(finish(runtime.place.inside(&tracee("slow_reaper")).args(["sh", "-c", &script])).success());
    assert!(runtime.place.profile("held.json").workload_has(&["getpgid", "write"]));
    runtime.place.left(&["held.json"]).nothing();
}

/// What ran before is not in the profile, or there is no process yet, or its number is another's.
fn the_wrong_stages_are_refused_and_the_right_ones_named(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let (hook, state) = (runtime.place.hook().path(), runtime.place.path("state").display().to_string());
    let arguments = ["oci-seccomp-bpf-hook", "-s", "--poststop", "--state-dir", &state].map(str::to_owned);
    for (stage, only) in [("createContainer", None), ("poststart", Some("crun"))] {
        // runc says "created" at that stage too.
        if only.is_some_and(|only| only != runtime.name) {
            continue;
        }
        let before = runtime.place.said().len();
        let bundle = Bundle::make(&runtime.place.path(stage), &["true"])
            .annotation("io.containers.trace-syscall", &of(&runtime.out("wrong.json")))
            .hook(hook, &arguments, &[stage]);
        // Who tells of a poststart that fails, and who ends the container for it, differs.
        drop(runtime.run(bundle.write()));
        let refused = |line: &String| {
            line.starts_with("<10>")
                && line.contains("for the stages prestart (or createRuntime) and poststop")
        };
        let said = runtime.place.said();
        assert!(said[before..].iter().any(refused), "{stage}: {said:?}");
    }
    runtime.place.left(&[]).nothing();
}

/// The workload that the hook recorded, and the one that strace saw.
fn both(runtime: &Runtime, seccomp: Option<Value>, args: &[&str]) -> (Recording, BTreeSet<Syscall>) {
    let file = runtime.out("recording.json");
    let options = format!("recording={}", file.display());
    let mut bundle = runtime
        .bundle("strace", &of(&runtime.out("profile.json")), args)
        .annotation("io.containers.trace-syscall.options", &options)
        // strace cannot translate the number of a thread that has ended before its clone returned.
        .without_namespace("pid");
    if let Some(seccomp) = seccomp {
        bundle = bundle.seccomp(&seccomp);
    }
    let log = runtime.under_strace(bundle.write());
    let strace = calls_of_command(&log, args[0])
        .unwrap_or_else(|error| panic!("strace's log is not understood: {error}"));
    let recording = read_recording(&file);
    assert!(recording.losses().is_none(), "calls may be missing: {:?}", recording.losses());
    (recording, strace)
}

const SHELL: [&str; 3] =
    ["/bin/sh", "-c", "ls -l / | wc -l; mkdir /tmp/a && rmdir /tmp/a; /tracees/caller getpgid times"];

fn the_workload_is_what_strace_saw_without_a_filter(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let (recording, strace) = both(&runtime, None, &SHELL);
    assert!(strace.is_superset(&calls(["getpgid", "times", "getdents64"])), "{strace:?}");
    assert_same(&workload(&recording), &strace);
}

/// A filter makes a difference to where the workload begins.
fn the_workload_is_what_strace_saw_under_a_filter(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let (recording, strace) = both(&runtime, Some(filter()), &SHELL);
    assert!(strace.is_superset(&calls(["getpgid", "times", "getdents64"])), "{strace:?}");
    assert_same(&workload(&recording), &strace);
}

fn strace_sees_the_same_of_threads_and_exec(runtime: &str) {
    let runtime = Runtime::new(runtime);
    let script = "set -e; /tracees/threads; /tracees/vfork; /tracees/exec_thread; exec /tracees/clone3";
    let (recording, strace) = both(&runtime, Some(filter()), &["/bin/sh", "-c", script]);
    assert_same(&workload(&recording), &strace);
}
