//! Cgroups as hooks see them: which of a container's are its own, and how to get out of the engine's.

use std::fs;

use seccomp_trace_core::Tgid;

use super::proc;
use crate::Error;
use crate::wire::{Entrance, Place};

/// Which cgroups of a container's init are the container's alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Own {
    cgroup2: bool,
    /// It is a leaf `container`, which crun makes below the container's cgroup.
    leaf: bool,
    pids: bool,
}

impl Own {
    /// Those of a running container's init, who looks at it being no part of the container.
    pub(crate) fn of_process(init: Tgid) -> Result<Self, Error> {
        let of_init = fs::read_to_string(format!("/proc/{init}/cgroup"));
        let of_init = of_init.map_err(|source| Error::NoProcess { pid: init.0, source })?;
        let ours =
            fs::read_to_string("/proc/self/cgroup").map_err(Error::system("read /proc/self/cgroup"))?;
        Ok(Self::of(&of_init, &ours))
    }

    /// Compares `/proc/PID/cgroup` of the init with that of a process of its runtime: what both are in is not the
    /// container's. The root never is.
    pub(crate) fn of(init: &str, runtime: &str) -> Self {
        let own = |controller: &str| {
            let path = path_in(init, controller)?;
            (path != "/" && path_in(runtime, controller) != Some(path)).then_some(path)
        };
        let cgroup2 = own("");
        Self {
            cgroup2: cgroup2.is_some(),
            leaf: cgroup2.is_some_and(|path| path.ends_with("/container")),
            pids: own("pids").is_some(),
        }
    }

    /// The ways into a container whose init is in this place. `host`: the mount namespace of who asks, which is no
    /// container's.
    pub(crate) fn entrances(self, place: &Place, host: Option<u64>) -> Vec<Entrance> {
        let by_filter = !self.cgroup2 && !self.pids;
        let mut entrances = Vec::new();
        if host != Some(place.mount_ns) {
            entrances.push(Entrance::MountNs { inode: place.mount_ns, by_filter });
        }
        if self.cgroup2 {
            entrances.push(Entrance::Cgroup2(place.cgroup2));
        }
        if self.leaf {
            entrances.push(Entrance::Cgroup2(place.cgroup2_parent));
        }
        if self.pids && place.pids_cgroup != 0 {
            entrances.push(Entrance::Pids(place.pids_cgroup));
        }
        entrances
    }
}

/// The path in the hierarchy of a controller; the v2 hierarchy's has none.
fn path_in<'a>(text: &'a str, controller: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|one| one == controller).then_some(path)
    })
}

/// The controllers by which a cgroup could hinder us, and the v2 hierarchy, which has no name.
const HINDERING: [&str; 4] = ["", "memory", "freezer", "pids"];

/// Moves this process, which must have one thread, to the root of the hierarchies that could hinder it, so that it is
/// neither charged for what it makes in the kernel nor frozen or killed with the engine. Where it may not, it stays.
/// Takes some 10 ms where a unified hierarchy is to be left: the move of a process waits for all CPUs, that of a thread
/// (version 1) does not.
pub fn leave() {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let ours = read("/proc/self/cgroup");
    for mount in proc::cgroup_mounts(&read("/proc/self/mountinfo")) {
        let hinders = HINDERING.into_iter().any(|controller| {
            mount.has(controller) && path_in(&ours, controller).is_some_and(|path| path != "/")
        });
        if hinders {
            // 0 is the writer itself. Hierarchies that refuse have their reasons (a read-only mount, a delegated tree).
            let enter = |list| fs::write(mount.point.join(list), "0");
            let _ = enter("tasks").or_else(|_| enter("cgroup.procs"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { leader: 9, mount_ns: 1, cgroup2: 2, cgroup2_parent: 3, pids_cgroup: 4 };

    fn entrances(init: &str, runtime: &str) -> Vec<Entrance> {
        Own::of(init, runtime).entrances(&PLACE, Some(99))
    }

    #[test]
    fn a_cgroup_that_the_runtime_is_in_too_is_no_entrance() {
        let mount = |by_filter| Entrance::MountNs { inode: 1, by_filter };
        let shared = "0::/user.slice/session-1.scope\n";
        assert_eq!(entrances(shared, shared), [mount(true)]);
        assert_eq!(entrances("0::/machine.slice/c\n", shared), [mount(false), Entrance::Cgroup2(2)]);
        let leaf = "0::/machine.slice/c/container\n";
        assert_eq!(entrances(leaf, shared), [mount(false), Entrance::Cgroup2(2), Entrance::Cgroup2(3)]);
    }

    /// Every process of the host that has a filter would be taken for the container's.
    #[test]
    fn the_hosts_mount_namespace_is_no_entrance() {
        assert!(Own::of("0::/\n", "0::/\n").entrances(&PLACE, Some(PLACE.mount_ns)).is_empty());
    }

    /// On hybrid hosts the v2 path is the root for everybody.
    #[test]
    fn the_pids_hierarchy_counts_where_v2_says_nothing() {
        let init = "12:cpu,pids:/machine/c\n1:name=systemd:/machine/c\n0::/\n";
        let runtime = "12:cpu,pids:/\n1:name=systemd:/\n0::/\n";
        let mount = Entrance::MountNs { inode: 1, by_filter: false };
        assert_eq!(entrances(init, runtime), [mount, Entrance::Pids(4)]);
    }
}
