//! From the directory of a cgroup to what the kernel knows it by.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::shared::proc::{CgroupMount, cgroup_mounts};
use crate::wire::CgroupId;

/// Why a path is not a cgroup that can be observed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CgroupError {
    /// There is no such directory, neither as it is given nor below a mounted hierarchy.
    #[error("there is no such cgroup")]
    Missing,
    /// It is a directory of something else.
    #[error("it is in no mounted cgroup hierarchy")]
    Elsewhere,
    /// It is in a hierarchy that is not followed.
    #[error(
        "it is in a cgroup v1 hierarchy without the pids controller; give the cgroup's directory in the pids or the \
         unified hierarchy"
    )]
    Hierarchy,
}

/// The cgroup with this directory; a path that is none is looked for below the unified and the pids hierarchy.
pub(crate) fn find(path: &Path) -> Result<CgroupId, Error> {
    let mountinfo =
        fs::read_to_string("/proc/self/mountinfo").map_err(Error::system("read /proc/self/mountinfo"))?;
    let mounts = cgroup_mounts(&mountinfo);
    identify(path, &mounts).map_err(|source| Error::Cgroup { path: path.to_owned(), source })
}

fn identify(path: &Path, mounts: &[CgroupMount]) -> Result<CgroupId, CgroupError> {
    // Each hierarchy is a file system of its own, and the number of a directory is the cgroup's.
    let device = |mount: &CgroupMount| fs::metadata(&mount.point).map(|root| root.dev());
    let mut answer = Err(CgroupError::Missing);
    for directory in candidates(path, mounts) {
        let Ok(found) = fs::metadata(&directory) else { continue };
        let mount = mounts.iter().find(|mount| device(mount).is_ok_and(|device| device == found.dev()));
        match mount.map(|mount| (mount.has(""), mount.has("pids"))) {
            Some((true, _)) => return Ok(CgroupId::V2(found.ino())),
            Some((_, true)) => return Ok(CgroupId::Pids(found.ino())),
            Some(_) => return Err(CgroupError::Hierarchy),
            None => answer = Err(CgroupError::Elsewhere),
        }
    }
    answer
}

/// Where a cgroup that is given as a path can be.
fn candidates(path: &Path, mounts: &[CgroupMount]) -> Vec<PathBuf> {
    let below = path.strip_prefix("/").unwrap_or(path);
    let hierarchies = ["", "pids"].into_iter().flat_map(|name| mounts.iter().filter(move |m| m.has(name)));
    std::iter::once(path.to_owned()).chain(hierarchies.map(|mount| mount.point.join(below))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
27 26 0:23 / /c/pids rw - cgroup cgroup rw,pids
29 26 0:25 / /c/unified rw - cgroup2 cgroup2 rw
30 26 0:26 / /c/memory rw - cgroup cgroup rw,memory
";

    /// `/system.slice/x.service` is how systemd and /proc/PID/cgroup name a cgroup.
    #[test]
    fn a_name_is_looked_for_in_the_unified_hierarchy_first() {
        let mounts = cgroup_mounts(MOUNTS);
        for path in ["/a/b", "a/b"] {
            let found = candidates(Path::new(path), &mounts);
            let expected = [path, "/c/unified/a/b", "/c/pids/a/b"];
            assert_eq!(found, expected.map(PathBuf::from), "{path}");
        }
    }

    #[test]
    fn what_is_no_cgroup_is_refused_with_the_reason() {
        let refused = |path| identify(Path::new(path), &cgroup_mounts(MOUNTS)).expect_err("no cgroup");
        assert!(matches!(refused("/nonexistent"), CgroupError::Missing));
        assert!(matches!(refused("/tmp"), CgroupError::Elsewhere));
    }
}
