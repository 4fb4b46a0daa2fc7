//! The mount namespaces that podman runs in: nothing that a test mounts is seen outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Settings;
use crate::Running;

const ENTER: &str = include_str!("enter.sh");

/// Which mount namespace a podman command runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// All commands of an environment share one, as on a machine where nobody unshares any.
    Shared,
    /// Each command has one of its own, as where services and users have theirs: what prestart mounts, the poststop of
    /// another command does not see.
    PerCommand,
}

/// What the namespace holds.
#[derive(Debug)]
pub(super) struct Mounts {
    folder: PathBuf,
    log: &'static str,
    bpffs: &'static str,
    cgroups: &'static str,
    /// Keeps the shared namespace alive; killed at the end.
    holder: Option<Running>,
}

impl Mounts {
    pub(super) fn new(folder: &Path, settings: &Settings) -> Self {
        fs::write(folder.join("enter.sh"), ENTER).expect("a file in a folder of ours");
        let mut mounts = Self {
            folder: folder.to_owned(),
            log: if settings.log { "log" } else { "no-log" },
            bpffs: if settings.bpffs { "bpffs" } else { "no-bpffs" },
            cgroups: if settings.unified { "unified" } else { "as-is" },
            holder: None,
        };
        if settings.namespace == Namespace::Shared {
            // It ends with this process, however that ends: nobody then holds the other end of its input.
            let mut command = mounts.command("sh");
            command.args(["-c", "echo ready; exec cat"]);
            let holder = Running::start(command.stdin(Stdio::piped()));
            assert_eq!(holder.line(), "ready", "the namespace cannot be made");
            mounts.holder = Some(holder);
        }
        mounts
    }

    /// A command that runs `program` in the shared namespace, or in one of its own.
    pub(super) fn command(&self, program: &str) -> Command {
        if let Some(holder) = &self.holder {
            let mut command = Command::new("nsenter");
            command.args(["--mount", &format!("--target={}", holder.pid()), "--", program]);
            return command;
        }
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh"]).arg(self.folder.join("enter.sh"));
        command.arg(&self.folder).args([self.log, self.bpffs, self.cgroups, program]);
        command
    }

    /// The path by which this process reaches `path` of the shared namespace; `path` itself where there is none.
    pub(super) fn outside(&self, path: &Path) -> PathBuf {
        let Some(holder) = &self.holder else { return path.to_owned() };
        Path::new("/proc")
            .join(holder.pid().to_string())
            .join("root")
            .join(path.strip_prefix("/").expect("absolute"))
    }

    /// The mount points of the shared namespace at or below `folder`.
    pub(super) fn mounted_below(&self, folder: &Path) -> Vec<String> {
        let Some(holder) = &self.holder else { return Vec::new() };
        let table =
            fs::read_to_string(format!("/proc/{}/mountinfo", holder.pid())).expect("a living process");
        let points = table.lines().filter_map(|line| line.split(' ').nth(4));
        points.filter(|point| Path::new(point).starts_with(folder)).map(str::to_owned).collect()
    }
}
