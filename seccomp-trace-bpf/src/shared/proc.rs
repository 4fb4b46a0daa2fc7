//! Facts from `/proc` that hooks need. Decoding is apart from reading.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// When a process was started, in clock ticks after boot: field 22 of `/proc/PID/stat` (proc(5)).
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    start_time_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether the process that was started at that time is there, and neither a zombie nor about to be: the init of a pid
/// namespace waits in its exit until who entered that has been reaped by whoever made them.
pub(crate) fn lives(pid: u32, start_time: u64) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let exits = flags_of(&stat).is_some_and(is_exiting) || matches!(state_of(&stat), None | Some('Z' | 'X'));
    start_time_of(&stat) == Some(start_time) && !exits
}

/// The process that a thread belongs to.
pub(crate) fn leader(tid: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("Tgid:"))?.trim().parse().ok()
}

/// Whether it is one of the kernel's own.
pub(crate) fn is_kernel_thread(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| flags_of(&stat).is_some_and(is_kernels))
}

/// Tells this boot from others.
pub(crate) fn boot_id() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

/// The inode of the caller's mount namespace.
pub(crate) fn mount_namespace() -> Option<u64> {
    fs::metadata("/proc/self/ns/mnt").ok().map(|namespace| namespace.ino())
}

/// The inode of the caller's pid namespace.
pub(crate) fn pid_namespace() -> Option<u64> {
    fs::metadata("/proc/self/ns/pid").ok().map(|namespace| namespace.ino())
}

fn start_time_of(stat: &str) -> Option<u64> {
    // The name in parentheses is the process's own choice, and may hold blanks and parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19)?.parse().ok()
}

/// Field 9: the `PF_` flags of include/linux/sched.h.
fn flags_of(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(6)?.parse().ok()
}

fn is_exiting(flags: u32) -> bool {
    const PF_EXITING: u32 = 0x4;
    flags & PF_EXITING != 0
}

fn is_kernels(flags: u32) -> bool {
    const PF_KTHREAD: u32 = 0x0020_0000;
    flags & PF_KTHREAD != 0
}

fn state_of(stat: &str) -> Option<char> {
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A mounted cgroup hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CgroupMount {
    pub(crate) point: PathBuf,
    /// The options of its super block, which are its controllers; `None`: the v2 hierarchy.
    controllers: Option<String>,
}

impl CgroupMount {
    /// Whether the hierarchy has a controller; the v2 hierarchy is meant by no name.
    pub(crate) fn has(&self, controller: &str) -> bool {
        match &self.controllers {
            None => controller.is_empty(),
            Some(list) => !controller.is_empty() && list.split(',').any(|one| one == controller),
        }
    }
}

/// The cgroup hierarchies whose root is mounted, from `/proc/self/mountinfo` (proc(5)).
pub(crate) fn cgroup_mounts(mountinfo: &str) -> Vec<CgroupMount> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let (mount, filesystem) = line.split_once(" - ")?;
            let mut fields = mount.split(' ');
            let (root, point) = (fields.nth(3)?, PathBuf::from(fields.next()?));
            let mut filesystem = filesystem.split(' ');
            let controllers = match filesystem.next()? {
                "cgroup" => Some(filesystem.nth(1)?.to_owned()),
                "cgroup2" => None,
                _ => return None,
            };
            (root == "/").then_some(CgroupMount { point, controllers })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_move_the_fields() {
        let fields = "S 1 2 2 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 1000 200";
        for name in ["(sh)", "(a) S 1 (b)", "() 9 9)"] {
            let stat = format!("17 {name} {fields}");
            assert_eq!((start_time_of(&stat), state_of(&stat)), (Some(4711), Some('S')), "{name}");
            assert_eq!(flags_of(&stat), Some(4_194_560), "{name}");
        }
        assert_eq!(start_time_of("17 sh"), None);
    }

    #[test]
    fn kthreadd_is_told_from_a_process() {
        let flags = |stat| flags_of(stat).expect("flags");
        assert!(is_kernels(flags("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 2 0 0")));
        assert!(!is_kernels(flags("1 (systemd) S 0 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 2 0 0")));
    }

    #[test]
    fn hierarchies_that_are_mounted_whole_are_found() {
        let text = "\
26 24 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro\n\
27 26 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
28 26 0:24 /machine /mnt/part rw - cgroup cgroup rw,cpu\n\
29 26 0:25 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
        let mounts = cgroup_mounts(text);
        let points: Vec<_> = mounts.iter().map(|mount| mount.point.to_str().unwrap()).collect();
        assert_eq!(points, ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"]);
        assert!(mounts[0].has("pids") && !mounts[0].has("memory") && !mounts[0].has(""));
        assert!(mounts[1].has("") && !mounts[1].has("pids"));
    }
}
