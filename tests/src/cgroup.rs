//! A cgroup of a test's own, in whichever hierarchy of the machine has the controller.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use crate::{say, wait_until};

/// A cgroup, removed once nobody is in it any more.
#[derive(Debug)]
pub struct Cgroup {
    path: PathBuf,
    root: PathBuf,
    unified: bool,
}

impl Cgroup {
    /// A new one with this controller. `None`, which is said: the machine has none for us.
    #[must_use]
    pub fn new(controller: &str, name: &str) -> Option<Self> {
        let made = roots(controller).into_iter().find_map(|(root, unified)| {
            let path = root.join(format!("seccomp-trace-test-{name}-{}", std::process::id()));
            fs::create_dir(&path).ok().map(|()| Self { path, root, unified })
        });
        if made.is_none() {
            say(&format!("left out: no cgroup with the {controller} controller can be made here"));
        }
        made
    }

    /// Words that run a command in it.
    #[must_use]
    pub fn enter(&self) -> Vec<String> {
        enter(&self.path)
    }

    /// Words that run a command at the root of its hierarchy, wherever they are run.
    #[must_use]
    pub fn leave(&self) -> Vec<String> {
        enter(&self.root)
    }

    /// Moves a process into it.
    pub fn add(&self, pid: Pid) {
        fs::write(self.path.join("cgroup.procs"), pid.to_string()).expect("a cgroup of ours");
    }

    /// Limits memory; false where more is in use already that cannot be given back.
    #[must_use]
    pub fn limit_memory(&self, bytes: u64) -> bool {
        let file = if self.unified { "memory.max" } else { "memory.limit_in_bytes" };
        fs::write(self.path.join(file), bytes.to_string()).is_ok()
    }

    /// Bytes in use.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let file = if self.unified { "memory.current" } else { "memory.usage_in_bytes" };
        self.read(file).trim().parse().expect("a number")
    }

    /// How many processes were killed because it had no more memory.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        let text = self.read(if self.unified { "memory.events" } else { "memory.oom_control" });
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.expect("the kernel counts them").parse().expect("a number")
    }

    /// Limits how many tasks may be in it.
    pub fn limit_tasks(&self, count: u32) {
        fs::write(self.path.join("pids.max"), count.to_string()).expect("a cgroup of ours");
    }

    /// Freezes all that is in it, and returns when it is frozen; or lets it go on.
    pub fn freeze(&self, frozen: bool) {
        let (file, value) = match (self.unified, frozen) {
            (true, true) => ("cgroup.freeze", "1"),
            (true, false) => ("cgroup.freeze", "0"),
            (false, true) => ("freezer.state", "FROZEN"),
            (false, false) => ("freezer.state", "THAWED"),
        };
        fs::write(self.path.join(file), value).expect("a cgroup of ours");
        wait_until("the freezer", || match self.unified {
            true => self.read("cgroup.events").contains(if frozen { "frozen 1" } else { "frozen 0" }),
            false => self.read(file).trim() == value,
        });
    }

    fn read(&self, file: &str) -> String {
        let path = self.path.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // What is frozen cannot even be killed.
            for (file, value) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
                if self.path.join(file).exists() {
                    drop(fs::write(self.path.join(file), value));
                }
            }
            drop(fs::remove_dir(&self.path));
        } else {
            wait_until("the end of those in a cgroup", || fs::remove_dir(&self.path).is_ok());
        }
    }
}

/// Words before a command that move it.
fn enter(path: &Path) -> Vec<String> {
    let script = r#"echo $$ >"$0/cgroup.procs" && exec "$@""#;
    ["sh", "-c", script, path.to_str().expect("UTF-8")].map(str::to_owned).to_vec()
}

/// The mount points with a controller, and whether each is of the unified hierarchy.
fn roots(controller: &str) -> Vec<(PathBuf, bool)> {
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").expect("the kernel's own file");
    let root = |line: &str| {
        let (mount, kind) = line.split_once(" - ")?;
        let root = PathBuf::from(mount.split(' ').nth(4)?);
        let mut kind = kind.split(' ');
        let unified = kind.next()? == "cgroup2";
        // The freezer of the unified hierarchy is everywhere below its root.
        let has = match unified {
            true => {
                let enabled = fs::read_to_string(root.join("cgroup.subtree_control")).unwrap_or_default();
                controller == "freezer" || enabled.split_whitespace().any(|one| one == controller)
            }
            false => kind.nth(1)?.split(',').any(|option| option == controller),
        };
        has.then_some((root, unified))
    };
    let mut found: Vec<_> = mountinfo.lines().filter_map(root).collect();
    found.sort_by_key(|(_, unified)| *unified);
    found
}
