//! Cgroup hierarchies of the virtual machine, where nobody has mounted any.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use seccomp_trace_tests::wait_until;

/// Which hierarchy containers are told apart in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hierarchy {
    /// v2, with the pids controller in it.
    Unified,
    /// v1's of the pids controller, where the v2 path of everybody is the root.
    Pids,
}

impl Hierarchy {
    fn mount_point(self) -> &'static Path {
        Path::new(match self {
            Self::Unified => "/cgroup2",
            Self::Pids => "/cgroup-pids",
        })
    }

    /// Mounts it. A controller is in one hierarchy at a time, and takes a moment to leave another.
    pub(crate) fn mounted(self) -> &'static Path {
        let point = self.mount_point();
        fs::create_dir_all(point).expect("a mount point");
        let (kind, option) = match self {
            Self::Unified => ("cgroup2", None),
            Self::Pids => ("cgroup", Some("pids")),
        };
        wait_until("the pids controller to be free", || {
            let mounted = mount(Some("cgroup"), point, Some(kind), MsFlags::empty(), option).is_ok();
            let controllers = || fs::write(point.join("cgroup.subtree_control"), "+pids").is_ok();
            let complete = mounted && (self == Self::Pids || controllers());
            if mounted && !complete {
                self.unmount();
            }
            complete
        });
        point
    }

    fn unmount(self) {
        umount2(self.mount_point(), MntFlags::empty()).expect("a mount of ours");
    }

    /// A new cgroup, of a hierarchy that is mounted for it.
    pub(crate) fn cgroup(self, name: &str) -> Cgroup {
        let path = self.mounted().join(name);
        fs::create_dir(&path).expect("a cgroup");
        Cgroup { hierarchy: self, path }
    }
}

/// A cgroup, removed with its hierarchy when it is dropped.
#[derive(Debug)]
pub(crate) struct Cgroup {
    hierarchy: Hierarchy,
    path: PathBuf,
}

impl Cgroup {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn take_in(&self, pid: u32) {
        fs::write(self.path.join("cgroup.procs"), pid.to_string()).expect("a process of ours");
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Zombies are in it until they are waited for.
        wait_until("the cgroup to be empty", || fs::remove_dir(&self.path).is_ok());
        if self.hierarchy == Hierarchy::Unified {
            fs::write(self.hierarchy.mount_point().join("cgroup.subtree_control"), "-pids")
                .expect("a controller");
        }
        self.hierarchy.unmount();
    }
}
