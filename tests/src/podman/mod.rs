//! Podman with everything of its own in a temporary folder, and the hook under test in its hook folder.

mod files;
mod image;
mod namespace;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub(crate) use image::installed;
pub use image::{IMAGE, unpack_rootfs};
pub use namespace::Namespace;

use crate::hook::{Hook, Left};
use crate::{Finished, ProfileFile, Running, Syslog, finish, scratch, seccomp_trace, wait_until};

/// How an environment differs from the usual one.
#[derive(Debug)]
pub struct Settings {
    /// The hook files. Whatever paths they name, the hook under test is run, with a state folder of its own.
    pub hook_files: Vec<Value>,
    /// Where podman's commands run.
    pub namespace: Namespace,
    /// Whether a BPF file system is mounted at `/sys/fs/bpf`.
    pub bpffs: bool,
    /// Whether the cgroup tree is the unified one, as on newer systems, without controllers where an older tree has them.
    /// Else it is as the machine has it.
    pub unified: bool,
    /// Whether somebody listens at `/dev/log`.
    pub log: bool,
}

impl Default for Settings {
    /// The project's own hook files, on a machine with a system log and without a BPF file system.
    fn default() -> Self {
        Self {
            hook_files: files::ours(),
            namespace: Namespace::Shared,
            bpffs: false,
            unified: false,
            log: true,
        }
    }
}

impl Settings {
    /// Upstream's hook file, which knows no poststop.
    #[must_use]
    pub fn upstream() -> Self {
        Self { hook_files: files::upstreams(), ..Self::default() }
    }
}

/// An environment: podman with one runtime. Containers and everything else of it are removed with it.
#[derive(Debug)]
pub struct Podman {
    mounts: namespace::Mounts,
    log: Option<Syslog>,
    hook: Hook,
    folder: tempfile::TempDir,
}

impl Podman {
    /// The usual environment.
    #[must_use]
    pub fn new(runtime: &str) -> Self {
        Self::with(runtime, &Settings::default())
    }

    /// An environment of its own kind.
    #[must_use]
    pub fn with(runtime: &str, settings: &Settings) -> Self {
        for program in ["podman", "conmon", runtime] {
            installed(program);
        }
        let folder = scratch();
        let path = folder.path();
        fs::create_dir(path.join("out")).expect("a folder in a folder of ours");
        let log = settings.log.then(|| Syslog::listen(&path.join("log")));
        let hook = Hook::copy_into(path);
        files::write_configuration(path, runtime);
        let arguments = ["--state-dir".to_owned(), path.join("state").display().to_string()];
        for (index, file) in settings.hook_files.iter().enumerate() {
            files::write_hook(path, &format!("hook-{index}"), file, hook.path(), &arguments);
        }
        let mounts = namespace::Mounts::new(path, settings);
        let podman = Self { mounts, log, hook, folder };
        image::import(podman.command(&[]));
        podman
    }

    /// Adds somebody else's hook, for every container.
    pub fn add_hook(&self, name: &str, command: &[&str], stages: &[&str]) {
        files::write_hook(self.folder.path(), name, &files::others(command, stages), "/bin/sh".as_ref(), &[]);
    }

    /// A podman command that has yet to be started.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.inside("podman");
        command.args(arguments);
        command
    }

    /// Any command, in podman's mount namespace.
    #[must_use]
    pub fn inside(&self, program: &str) -> Command {
        let mut command = self.mounts.command(program);
        let file = |name: &str| self.folder.path().join(name);
        command.env("CONTAINERS_CONF", file("containers.conf"));
        command.env("CONTAINERS_STORAGE_CONF", file("storage.conf"));
        command.env_remove("XDG_RUNTIME_DIR").env_remove("CONTAINER_HOST");
        command
    }

    /// Runs podman to its end.
    #[must_use]
    pub fn podman(&self, arguments: &[&str]) -> Finished {
        finish(&mut self.command(arguments))
    }

    /// Starts podman.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments).stdin(std::process::Stdio::null()))
    }

    /// `podman run --rm` with these options and that command.
    #[must_use]
    pub fn run(&self, options: &[&str], command: &[&str]) -> Finished {
        self.podman(&[&["run", "--rm", "--net=none"], options, &[IMAGE], command].concat())
    }

    /// The same with the annotation that the hook waits for.
    #[must_use]
    pub fn trace(&self, annotation: &str, options: &[&str], command: &[&str]) -> Finished {
        let annotation = traced(annotation);
        self.run(&[&["--annotation", &annotation], options].concat(), command)
    }

    /// Starts a container in the background; it ended with 0.
    pub fn detach(&self, name: &str, options: &[&str], command: &[&str]) {
        let started =
            self.podman(&[&["run", "-d", "--net=none", "--name", name], options, &[IMAGE], command].concat());
        drop(started.success());
    }

    /// Waits until a container has printed this line.
    pub fn wait_for_line(&self, name: &str, line: &str) {
        wait_until(&format!("{line:?} from container {name}"), || {
            self.podman(&["logs", name]).stdout.lines().any(|printed| printed == line)
        });
    }

    /// The host's number of a container's first process.
    #[must_use]
    pub fn pid_of(&self, name: &str) -> String {
        let found = self.podman(&["inspect", "--format", "{{.State.Pid}}", name]).success();
        found.stdout.trim().to_owned()
    }

    /// A path in the folder that is meant for profiles.
    #[must_use]
    pub fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join("out").join(name)
    }

    /// The profile of that name in this folder; where there is none, it panics with what the hook says.
    #[must_use]
    pub fn profile(&self, name: &str) -> ProfileFile {
        let path = self.out(name);
        assert!(path.exists(), "there is no profile {name}; the log: {:#?}", self.said());
        ProfileFile::read(&path)
    }

    /// What stands in the system log, without times.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let entries = self.log.iter().flat_map(Syslog::entries);
        entries.map(|entry| format!("<{}>[{}] {}", entry.priority, entry.pid, entry.text)).collect()
    }

    /// The files in which the log says that recordings are kept.
    #[must_use]
    pub fn kept_recordings(&self) -> Vec<PathBuf> {
        let said = self.said();
        let paths =
            said.iter().filter_map(|line| line.split_once("the recording is kept in ")?.1.split_once(';'));
        paths.map(|(path, _)| path.into()).collect()
    }

    /// A path in the environment's folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path by which this process sees what is mounted in podman's namespace; where that is each command's own,
    /// the path itself.
    #[must_use]
    pub fn outside(&self, path: &Path) -> PathBuf {
        self.mounts.outside(path)
    }

    /// Runs `seccomp-trace cleanup` for this environment's state.
    #[must_use]
    pub fn cleanup(&self) -> Finished {
        let mut cleanup = self.inside(seccomp_trace().to_str().expect("a path in UTF-8"));
        finish(cleanup.args(["cleanup", "--state-dir"]).arg(self.path("state")))
    }

    /// What was sent to `/dev/log`.
    #[must_use]
    pub fn log(&self) -> &Syslog {
        self.log.as_ref().expect("an environment with a log")
    }

    /// The hook under test, as this environment runs it.
    #[must_use]
    pub fn hook(&self) -> &Hook {
        &self.hook
    }

    /// What the hook has left behind: processes, mounts, pins, state, and files beside those in `out` that are
    /// expected.
    #[must_use]
    pub fn left(&self, expected: &[&str]) -> Left {
        let state = self.path("state");
        let pins = names(&self.outside(Path::new("/sys/fs/bpf")));
        Left {
            processes: self.hook.processes(),
            mounts: self.mounts.mounted_below(&state),
            pins: pins.into_iter().filter(|name| name.starts_with("seccomp-trace")).collect(),
            state: state.exists().then(|| tree(&self.outside(&state))),
            files: names(&self.path("out"))
                .into_iter()
                .filter(|name| !expected.contains(&name.as_str()))
                .collect(),
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let removed = self.podman(&["rm", "-a", "-f", "-t", "0"]);
        self.hook.kill_all();
        if !std::thread::panicking() {
            // A container's monitor and its cleanup write to the folder until they end.
            let folder = self.folder.path().to_str().expect("a path in UTF-8").to_owned();
            wait_until("the end of the engine's own processes", || !names_on_a_command_line(&folder));
        }
        if !removed.status.success() && !std::thread::panicking() {
            panic!("the containers cannot be removed: {removed:?}");
        }
    }
}

/// The annotation's value that asks for a profile at `path`.
#[must_use]
pub fn of(path: &Path) -> String {
    format!("of:{}", path.display())
}

/// The annotation that the hook waits for, as an argument of `--annotation`.
#[must_use]
pub fn traced(value: &str) -> String {
    format!("io.containers.trace-syscall={value}")
}

/// The hook's own options, as an argument of `--annotation`.
#[must_use]
pub fn options(value: &str) -> String {
    format!("io.containers.trace-syscall.options={value}")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Whether a process of the machine has a path in its command line. A dead one has none any more.
fn names_on_a_command_line(path: &str) -> bool {
    let lines =
        names(Path::new("/proc")).into_iter().filter_map(|pid| fs::read(format!("/proc/{pid}/cmdline")).ok());
    lines.into_iter().any(|line| String::from_utf8_lossy(&line).contains(path))
}

/// Every path below a folder.
fn tree(folder: &Path) -> Vec<String> {
    let found = finish(Command::new("find").arg(folder));
    found.stdout.lines().map(str::to_owned).collect()
}
