//! The file that a new content is written into before it takes the place of the old one.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg, OFlag};

use super::directory;

/// A file beside another, which disappears unless it takes that one's place.
///
/// A writer that is killed leaves it behind. So it has a name that the next writer of the same file finds, and a lock that
/// tells whether its writer lives: what nobody holds is removed.
pub(super) struct Temporary {
    path: PathBuf,
    file: Flock<File>,
    renamed: bool,
}

impl Temporary {
    /// A new file in the directory of `target`.
    pub(super) fn beside(target: &Path) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default();
        let mut usual = std::ffi::OsString::from(".");
        usual.push(name);
        usual.push(".seccomp-trace");
        let usual = directory(target).join(usual);
        remove_if_abandoned(&usual);
        match Self::create(&usual) {
            // Somebody writes the same file just now, or it is a name that cannot be had: too long, a directory.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::with_any_name(target),
            Err(error) if error.raw_os_error() == Some(nix::libc::ENAMETOOLONG) => {
                Self::with_any_name(target)
            }
            other => other,
        }
    }

    fn with_any_name(target: &Path) -> io::Result<Self> {
        let made =
            tempfile::Builder::new().prefix(".seccomp-trace-").make_in(directory(target), Self::create)?;
        let (temporary, path) = made.into_parts();
        // It removes itself.
        path.keep()?;
        Ok(temporary)
    }

    fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o666).open(path)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Self { path: path.to_owned(), file, renamed: false }),
            Err((_, errno)) => {
                // Another took it for abandoned in the moment before it was locked.
                let _ = fs::remove_file(path);
                Err(errno.into())
            }
        }
    }

    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Takes the place of `target`.
    pub(super) fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes a file whose writer is gone. One that is locked, or is no file of ours, stays.
fn remove_if_abandoned(path: &Path) {
    let Ok(file) =
        OpenOptions::new().write(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK).open(path)
    else {
        return;
    };
    let is_file = file.metadata().is_ok_and(|found| found.is_file() && found.nlink() == 1);
    if is_file && let Ok(held) = Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        let same =
            |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        // Its writer may have finished, and what was opened be in its place now.
        if let (Ok(opened), Ok(there)) = (held.metadata(), fs::symlink_metadata(path))
            && same(&opened, &there)
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether a file can be created beside `target`. Where the file system allows it, none is left even by who is killed.
pub(super) fn may_create_beside(target: &Path) -> io::Result<()> {
    let nameless =
        OpenOptions::new().write(true).custom_flags(OFlag::O_TMPFILE.bits()).open(directory(target));
    match nameless {
        Ok(_) => Ok(()),
        // Not every file system has files without a name.
        Err(error) if matches!(error.raw_os_error(), Some(nix::libc::EOPNOTSUPP | nix::libc::EISDIR)) => {
            Temporary::beside(target).map(drop)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// A process that is killed cannot remove its file.
    #[test]
    fn what_a_killed_writer_left_is_removed_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("p.json");
        fs::write(folder.path().join(".p.json.seccomp-trace"), "half").unwrap();
        let temporary = Temporary::beside(&target).unwrap();
        assert_eq!(names(folder.path()), [".p.json.seccomp-trace"]);
        assert_eq!(temporary.file.metadata().unwrap().len(), 0, "a new file");
        temporary.rename(&target).unwrap();
        assert_eq!(names(folder.path()), ["p.json"]);
    }

    #[test]
    fn two_writers_of_one_file_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("p.json");
        let one = Temporary::beside(&target).unwrap();
        let two = Temporary::beside(&target).unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        one.rename(&target).unwrap();
        drop(two);
        assert_eq!(names(folder.path()), ["p.json"]);
    }

    /// Whoever may write in the directory could put anything under the name.
    #[test]
    fn what_is_no_file_of_ours_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (target, usual) = (folder.path().join("p.json"), folder.path().join(".p.json.seccomp-trace"));
        let other = folder.path().join("other");
        fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &usual).unwrap();
        Temporary::beside(&target).unwrap().rename(&target).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "other");
        assert!(fs::symlink_metadata(&usual).unwrap().is_symlink());
        assert!(fs::symlink_metadata(&target).unwrap().is_file());
    }

    #[test]
    fn a_name_that_is_as_long_as_can_be_has_a_temporary_one_too() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("n".repeat(255));
        Temporary::beside(&target).unwrap().rename(&target).unwrap();
        assert_eq!(names(folder.path()).len(), 1);
    }
}
