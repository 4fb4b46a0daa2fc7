//! Containers that a runtime starts, with our hooks, which are killed now and then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use super::Soak;
use crate::bundle::Bundle;
use crate::hook::{Left, Random};
use crate::podman::of;
use crate::{Podman, Running, read_recording, say};

/// Where all of them share one instance.
pub(super) struct Containers {
    podman: Podman,
    /// Recordings that were not there when their container had ended: whoever was killed is made up for later.
    late: Mutex<Vec<(PathBuf, BTreeSet<&'static str>)>>,
}

impl Containers {
    pub(super) fn new() -> Self {
        Self { podman: Podman::new("crun"), late: Mutex::default() }
    }

    /// A bundle that one worker uses again and again: every other worker has crun, the others runc.
    pub(super) fn place(&self, worker: usize) -> Place<'_> {
        let folder = self.podman.path(&format!("bundle-{worker}"));
        let state = self.podman.path("state").display().to_string();
        let hook = self.podman.hook().path();
        let arguments = |more: &[&str]| {
            let words = [&["oci-seccomp-bpf-hook", "-s", "--poststop", "--state-dir", &state], more].concat();
            words.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let bundle = Bundle::make(&folder, &[]).hook(hook, &arguments(&[]), &["prestart", "poststop"]).hook(
            hook,
            &arguments(&["--again"]),
            &["poststop"],
        );
        let config = std::fs::read(bundle.write().join("config.json")).expect("it was written");
        let config = serde_json::from_slice(&config).expect("it was written as JSON");
        Place { all: self, folder, config, runtime: ["crun", "runc"][worker % 2] }
    }

    /// Kills one of the hook's processes every other second.
    pub(super) fn kill_hooks(&self, soak: &Soak, goes_on: &impl Fn() -> bool) {
        let mut random = Random::new();
        while goes_on() {
            std::thread::sleep(Duration::from_millis(random.below(4000)));
            let processes = self.podman.hook().processes();
            let which = usize::try_from(random.below(8)).expect("a small number");
            let Some(victim) = processes.get(which % processes.len().max(1)) else { continue };
            // Counted before: whoever misses it must find it counted.
            soak.count(|counts| counts.hooks_killed += 1);
            if kill(*victim, Signal::SIGKILL).is_err() {
                soak.count(|counts| counts.hooks_killed -= 1);
            }
        }
    }

    /// Has what is unfinished finished, and looks at what is left.
    pub(super) fn finish(&self, soak: &Soak) {
        let cleanup = self.podman.cleanup();
        for (file, own) in self.late.lock().expect("no worker panicked").drain(..) {
            compare(soak, &file, &own);
        }
        let mut left = self.podman.left(&[]);
        left.files.retain(|name| !name.ends_with(".json"));
        soak.count(|counts| {
            if !cleanup.status.success() || left != Left::default() {
                say(&format!("soak: {left:#?} {cleanup:?}"));
                counts.leftovers += 1;
            }
            if counts.not_started > counts.hooks_killed {
                counts.harmed("containers", "more were not started than hooks were killed");
            }
        });
    }
}

/// A worker's bundle.
pub(super) struct Place<'a> {
    all: &'a Containers,
    folder: PathBuf,
    config: Value,
    runtime: &'static str,
}

impl Place<'_> {
    pub(super) fn target(&self, soak: &Soak, name: &str, own: &BTreeSet<&'static str>) {
        let podman = &self.all.podman;
        let (profile, file) = (podman.out(&format!("{name}.json")), podman.out(&format!("{name}-r.json")));
        let mut config = self.config.clone();
        let words: Vec<_> = ["/tracees/rare"].into_iter().chain(own.iter().copied()).collect();
        config["process"]["args"] = json!(words);
        config["annotations"]["io.containers.trace-syscall"] = json!(of(&profile));
        let options = format!("recording={}", file.display());
        config["annotations"]["io.containers.trace-syscall.options"] = json!(options);
        std::fs::write(self.folder.join("config.json"), config.to_string()).expect("a file of ours");

        let root = podman.path("runtime").display().to_string();
        // A runtime kills whatever is in the cgroup that has a container's id for its name.
        let place = podman.path("").file_name().expect("a name").to_string_lossy().replace('.', "");
        let bundle = self.folder.display().to_string();
        let id = format!("soak-{name}-{place}");
        let mut run = podman.inside(self.runtime);
        run.args(["--root", &root, "run", "--bundle", &bundle, &id]).stdin(Stdio::null());
        let ran = Running::start(&mut run).wait();
        let killed = soak.counts.lock().expect("as everywhere").hooks_killed;
        let done = file.exists() && profile.exists();
        soak.count(|counts| {
            counts.containers += 1;
            match ran.status.success() {
                // A hook that was killed lets no container start, and leaves the rest to others.
                false if killed > 0 && !done && says_killed(&ran.stderr) => counts.not_started += 1,
                false => counts.harmed(&id, &format!("{ran:?}")),
                true if !done && killed == 0 => counts.harmed(&id, "there is no profile"),
                true => {}
            }
        });
        if ran.status.success() && !done {
            self.all.late.lock().expect("no worker panicked").push((file, own.clone()));
        } else if done {
            compare(soak, &file, own);
            std::fs::remove_file(&profile).expect("it is there");
        }
    }
}

/// In the words of runc and of crun.
fn says_killed(stderr: &str) -> bool {
    ["signal: killed", "exit code: 137"].iter().any(|how| stderr.contains(how))
}

fn compare(soak: &Soak, file: &Path, own: &BTreeSet<&str>) {
    let what = format!("container {}", file.display());
    if !file.exists() {
        soak.count(|counts| counts.harmed(&what, "nothing was recorded"));
        return;
    }
    let recording = read_recording(file);
    soak.count(|counts| counts.compare(&what, &recording, &soak.oracle.of_container(own)));
    std::fs::remove_file(file).expect("it was read");
}
