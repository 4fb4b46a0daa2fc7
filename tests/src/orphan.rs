//! A command that outlives who traces it, and still is asked how it ended.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::stat::Mode;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, mkfifo};

use crate::{Finished, Running, seccomp_trace, tracee, wait_until};

/// Waits for a line, starts children that make rare calls, says how these ended, and ends with 7. In between it makes
/// what takes room in a recording, where it is asked to.
const SCRIPT: &str = r#"echo "up $$"; read -r line <"$1"; "$0" getpgid eventfd2; echo "child $?"
("$0" timerfd_create; echo "grandchild $?"); [ -z "$2" ] || "$2" 100000 1000; echo end; exit 7"#;

/// Calls that nobody else makes: one of each kind of child.
pub const RARE: [&str; 3] = ["getpgid", "eventfd2", "timerfd_create"];

/// The command, and the pipe by which it is told to go on.
#[derive(Debug)]
pub struct Orphan {
    path: PathBuf,
    pipe: File,
}

impl Orphan {
    /// A command for one run, with its pipe in `folder`. Orphans of this process become its children.
    #[must_use]
    pub fn new(folder: &Path, name: &str) -> Self {
        set_child_subreaper(true).expect("a process can always ask for its orphans");
        let path = folder.join(name);
        mkfifo(&path, Mode::S_IRWXU).expect("a pipe in a folder of ours");
        // For both: else opening it waits for the command, which may never start.
        let pipe = OpenOptions::new().read(true).write(true).open(&path).expect("a pipe of ours");
        Self { path, pipe }
    }

    /// The words of the command.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let path = self.path.to_str().expect("UTF-8").to_owned();
        ["sh".to_owned(), "-c".to_owned(), SCRIPT.to_owned(), tracee("caller"), path].to_vec()
    }

    /// The same of one that makes a thousand calls that have no name: what is written of it takes memory.
    #[must_use]
    pub fn voluminous(&self) -> Vec<String> {
        [self.words(), vec![tracee("numbers")]].concat()
    }

    /// `run` with it, into `p.json` and `r.json` of a folder.
    #[must_use]
    pub fn under_run(&self, folder: &Path) -> Command {
        let mut run = Command::new(seccomp_trace());
        run.current_dir(folder).args(["run", "-q", "-o", "p.json", "--recording", "r.json", "--"]);
        run.args(self.words());
        run
    }

    /// Lets it go on.
    pub fn go_on(&mut self) {
        self.pipe.write_all(b"go\n").expect("a pipe has room for three bytes");
    }

    /// Waits until its tracer has started it: it then is no copy of the tracer any more, and waits for its line.
    pub fn wait_until_up(&self, tracer: &Running) {
        let children = format!("/proc/{0}/task/{0}/children", tracer.pid());
        let path = self.path.to_str().expect("UTF-8").as_bytes();
        let is_it = |child: &str| {
            let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            // What it is before, ends in the same words.
            line.starts_with(b"sh\0-c\0echo \"up") && line.windows(path.len()).any(|part| part == path)
        };
        wait_until("the command", || {
            std::fs::read_to_string(&children).unwrap_or_default().split_whitespace().any(is_it)
        });
    }

    /// Whether it ran, and to its end; panics where it was harmed on the way. `tracer` is how its tracer ended, with all
    /// that the command printed.
    #[must_use]
    pub fn ran(&self, tracer: &Finished) -> bool {
        let Some(pid) = tracer.stdout.lines().next().and_then(|line| line.strip_prefix("up ")) else {
            assert_eq!(tracer.stdout, "", "{tracer:?}");
            return false;
        };
        assert_eq!(
            tracer.stdout,
            format!("up {pid}\nchild 0\ngrandchild 0\nend\n"),
            "the command was harmed: {tracer:?}"
        );
        let pid = Pid::from_raw(pid.parse().expect("a number"));
        match waitpid(pid, None) {
            Ok(status) => assert_eq!(status, WaitStatus::Exited(pid, 7), "{tracer:?}"),
            // Its tracer lived long enough to wait for it.
            Err(error) => assert_eq!(error, Errno::ECHILD, "{tracer:?}"),
        }
        true
    }
}

/// How long a `run` in this folder lives that nobody disturbs.
#[must_use]
pub fn lifetime(folder: &Path) -> Duration {
    let mut orphan = Orphan::new(folder, "undisturbed");
    orphan.go_on();
    let started = Instant::now();
    let finished = Running::start(&mut orphan.under_run(folder)).wait();
    assert!(orphan.ran(&finished) && finished.code() == 7, "{finished:?}");
    started.elapsed()
}

impl Drop for Orphan {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}
