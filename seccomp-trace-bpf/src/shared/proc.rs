//! Facts from `/proc` that hooks need. Decoding is apart from reading.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// When a process was started, in clock ticks after boot: field 22 of `/proc/PID/stat` (proc(5)).
pub(crate) fn start_time(pid: u32) -> Option<u64> {
    start_time_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
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

/// The mount points of cgroup hierarchies whose root is mounted, from `/proc/self/mountinfo`.
pub(crate) fn cgroup_mounts(mountinfo: &str) -> Vec<PathBuf> {
    mountinfo
        .lines()
        .filter_map(|line| {
            let (mount, filesystem) = line.split_once(" - ")?;
            let mut fields = mount.split(' ');
            let (root, point) = (fields.nth(3)?, fields.next()?);
            let kind = filesystem.split(' ').next()?;
            (root == "/" && matches!(kind, "cgroup" | "cgroup2")).then(|| PathBuf::from(point))
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
            assert_eq!(start_time_of(&format!("17 {name} {fields}")), Some(4711), "{name}");
        }
        assert_eq!(start_time_of("17 sh"), None);
    }

    #[test]
    fn hierarchies_that_are_mounted_whole_are_found() {
        let text = "\
26 24 0:22 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro\n\
27 26 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n\
28 26 0:24 /machine /mnt/part rw - cgroup cgroup rw,cpu\n\
29 26 0:25 / /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
        let expected = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"].map(PathBuf::from);
        assert_eq!(cgroup_mounts(text), expected);
    }
}
