//! Where pins can be: the system's bpf file system, or one of our own.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use nix::sys::statvfs::{FsFlags, statvfs};

use super::state::make_directory;
use crate::Error;

/// Where systems mount it.
const SYSTEM: &str = "/sys/fs/bpf";

/// What the names of our directories in it begin with.
pub(crate) const PINS: &str = "seccomp-trace-";

/// A place for pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bpffs {
    pub(crate) path: PathBuf,
}

impl Bpffs {
    /// The system's where it is mounted, else one in `state`, which is mounted if need be: a mount of the caller's
    /// mount namespace, and of those that it shares mounts with.
    pub(crate) fn find_or_mount(state: &Path) -> Result<Self, Error> {
        let system = Path::new(SYSTEM);
        if is_writable_bpffs(system) {
            return Ok(Self { path: system.to_owned() });
        }
        let path = Self::own(state);
        if !is_bpffs(&path) {
            let failed = |source| Error::NoBpffs { path: path.clone(), source };
            make_directory(&path).map_err(failed)?;
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            mount(Some("bpf"), &path, Some("bpf"), flags, Some("mode=0700"))
                .map_err(|errno| failed(errno.into()))?;
        }
        Ok(Self { path })
    }

    /// Where our own is mounted, if it is.
    pub(crate) fn own(state: &Path) -> PathBuf {
        state.join("bpf")
    }

    /// Unmounts our own, if it is here and nothing is pinned in it any more.
    pub(crate) fn unmount(state: &Path) {
        let path = Self::own(state);
        // The kernel puts files of its own into every bpf file system (maps.debug, progs.debug).
        let ours = |entry: fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PINS);
        let empty = fs::read_dir(&path).is_ok_and(|entries| !entries.flatten().any(ours));
        if is_bpffs(&path) && empty {
            // Another may be in it just now, or we may not: then the mount stays, which harms nobody.
            let _ = umount2(&path, MntFlags::UMOUNT_NOFOLLOW);
        }
        let _ = fs::remove_dir(&path);
    }
}

fn is_bpffs(path: &Path) -> bool {
    statfs(path).is_ok_and(|found| found.filesystem_type() == BPF_FS_MAGIC)
}

fn is_writable_bpffs(path: &Path) -> bool {
    is_bpffs(path) && statvfs(path).is_ok_and(|found| !found.flags().contains(FsFlags::ST_RDONLY))
}
