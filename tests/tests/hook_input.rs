//! What is no container's State, and what is no profile, is refused at once, and leaves nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use seccomp_trace_tests::attach::Tracee;
use seccomp_trace_tests::{Finished, finish, oci_hook, privileged, scratch};
use serde_json::json;

/// Longer than a refusal takes on a busy machine, and shorter than any of our time limits.
const AT_ONCE: Duration = Duration::from_secs(20);

/// No process has this number.
const NOBODY: u32 = 4_194_304;

/// A place for the hook's state and a container's files.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: scratch() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A State that nothing is wrong with but the process.
    fn state(&self, pid: u32, annotation: &str) -> String {
        let annotations = json!({ "io.containers.trace-syscall": annotation });
        let bundle = self.path("bundle");
        json!({ "id": "../../web", "status": "created", "pid": pid, "bundle": bundle, "annotations": annotations })
            .to_string()
    }

    /// Gives the hook what a script prints, and sees it refuse that at once, with these words and no trace.
    fn refuses(&self, script: &str, words: &str) -> Finished {
        let started = Instant::now();
        let hook = format!("({script}) | {} -s --poststop --state-dir state", oci_hook().display());
        let hook = hook.replace("-dir state", &format!("-dir {}", self.path("state").display()));
        let ended = finish(Command::new("sh").current_dir(self.folder.path()).args(["-c", &hook]));
        assert!(started.elapsed() < AT_ONCE, "{script:.200}: {:?}", started.elapsed());
        assert_eq!(ended.code(), 1, "{script:.200}: {ended:?}");
        assert!(ended.stderr.contains(words), "{words:?} is not in {ended:?}");
        assert!(ended.stderr.len() < 10_000, "{} bytes are said", ended.stderr.len());
        assert!(!self.path("state").exists() && !self.path("out.json").exists(), "{script:.200}");
        ended
    }

    /// The same of a State in a file.
    fn refuses_state(&self, state: impl AsRef<[u8]>, words: &str) -> Finished {
        fs::write(self.path("state.json"), state).expect("a file in a folder of ours");
        self.refuses("cat state.json", words)
    }

    fn output(&self) -> String {
        format!("of:{}", self.path("out.json").display())
    }
}

#[test]
fn what_is_no_state_is_refused() {
    privileged!();
    let place = Place::new();
    let no_state = "cannot read the container's State";
    let deep = format!(r#"{{"new":{}"#, "[".repeat(500_000));
    place.refuses_state(deep, no_state);
    let deep = format!(r#"{{"annotations":{}"#, r#"{"a":"#.repeat(100_000));
    place.refuses_state(deep, no_state);
    place.refuses_state(b"{\"id\":\"\xff\xfe\"}", no_state);
    place.refuses_state(b"{\"id\":\"a\0b\"}", no_state);
    place.refuses_state(b"\0", no_state);
    place.refuses_state("", no_state);
    place.refuses(r#"printf '{"id":"'; yes | tr -d '\n'"#, "larger than 1 MiB");
    place.refuses("yes '{'", no_state);
}

/// The runtime is trusted with the number; what can be no container's is refused all the same.
#[test]
fn a_process_that_can_be_no_containers_is_refused() {
    privileged!();
    let place = Place::new();
    let of = |pid: &str| place.state(4711, &place.output()).replace("4711", pid);
    for (pid, words) in [
        ("0", "invalid PID 0"),
        ("-1", "invalid PID -1"),
        ("1", "invalid PID 1"),
        ("99999999999", "invalid PID 99999999999"),
        ("4194304", "cannot observe process 4194304"),
        ("\"7\"", "cannot read the container's State"),
        ("1e3", "cannot read the container's State"),
    ] {
        place.refuses_state(of(pid), words);
    }
    // The shell that runs the hook.
    let state = of("'$$'");
    place.refuses(&format!("printf '%s' '{state}'"), "is this hook, or runs it");
    let threads = Tracee::start("inflight", &[]);
    let thread = threads.other_thread();
    place.refuses_state(of(&thread), &format!("cannot observe process {thread}"));
}

/// A path that ends at a NUL byte for the kernel, and not for who checked it, leads elsewhere.
#[test]
fn bytes_that_no_path_has_are_refused() {
    privileged!();
    let place = Place::new();
    place.refuses_state(place.state(NOBODY, &format!("{}\0.txt", place.output())), "invalid annotation");
    place.refuses_state(place.state(NOBODY, &format!("of:/{}", "n".repeat(300))), "invalid annotation");
    place.refuses_state(place.state(NOBODY, &format!("of:{}", "/d".repeat(100_000))), "invalid annotation");
    let said = place.refuses_state(place.state(NOBODY, "of:\u{1b}[2J\nkernel: x"), "invalid annotation");
    assert!(said.stderr.lines().all(|line| line.starts_with("oci-seccomp-bpf-hook: ")), "{said:?}");
}

/// Root would wait for the other end of a pipe, or read a device for ever.
#[test]
fn what_is_no_profile_is_refused_as_input() {
    privileged!();
    let place = Place::new();
    let input = |path: &Path| place.state(NOBODY, &format!("if:{};{}", path.display(), place.output()));
    let pipe = place.path("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).expect("a pipe in a folder of ours");
    let link = place.path("link");
    std::os::unix::fs::symlink("/dev/zero", &link).expect("a link in a folder of ours");
    let circle = place.path("circle");
    std::os::unix::fs::symlink("circle", &circle).expect("a link in a folder of ours");
    for (path, words) in [
        (pipe.as_path(), "not a regular file"),
        (Path::new("/dev/zero"), "not a regular file"),
        (Path::new("/dev/tty"), "cannot read the input profile"),
        (&link, "not a regular file"),
        (&circle, "symbolic links"),
        (Path::new("/"), "not a regular file"),
    ] {
        place.refuses_state(input(path), words);
    }
    let file = place.path("in.json");
    let sparse = fs::File::create(&file).expect("a file in a folder of ours");
    sparse.set_len((16 << 20) + 1).expect("room for a hole");
    place.refuses_state(input(&file), "larger than 16 MiB");
    sparse.set_len(1 << 40).expect("room for a hole");
    place.refuses_state(input(&file), "larger than 16 MiB");
    let profile = r#"{"defaultAction":"SCMP_ACT_ERRNO","x":"#;
    for content in [
        format!("{profile}{}", "[".repeat(1_000_000)).into_bytes(),
        format!("{profile}\"\0\"}}").into_bytes(),
        [profile.as_bytes(), b"\"\xff\"}"].concat(),
        b"\0".repeat(1000),
    ] {
        fs::write(&file, content).expect("a file in a folder of ours");
        place.refuses_state(input(&file), "in.json");
    }
}

/// It is only read for the name of the program.
#[test]
fn a_bundle_is_not_waited_for() {
    privileged!();
    let place = Place::new();
    fs::create_dir(place.path("bundle")).expect("a folder in a folder of ours");
    mkfifo(&place.path("bundle/config.json"), Mode::S_IRWXU).expect("a pipe in a folder of ours");
    place.refuses_state(place.state(NOBODY, &place.output()), "cannot observe process");
}
