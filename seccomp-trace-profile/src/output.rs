//! Writing a file so that every reader finds either the old content or the whole new one.

mod settled;
mod temporary;

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, OFlag, fallocate, fcntl};

pub use settled::SettledOutput;
use temporary::Temporary;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct OutputError {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// To standard output.
    Stdout,
    /// To standard error.
    Stderr,
    /// Into a temporary file in the same directory, which then takes the place of this path.
    Replace(PathBuf),
    /// Over what is there: a device, a pipe, a mount point, or a file in a directory that cannot be written.
    InPlace(PathBuf),
}

/// How [`Output::write`] wrote the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Written {
    /// Atomically: readers found the old content until the new one was complete.
    Atomically,
    /// Over the old content, because the file cannot be replaced; readers may have found a part of it.
    InPlace,
}

/// A place to write to that was found writable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    named: PathBuf,
    way: Way,
    owner: Option<(u32, u32)>,
    /// Whether the last part of the path is taken as it is, and no link is followed.
    settled: bool,
}

impl Output {
    /// Finds out how `path` can be written, without changing it. `-` is standard output; a symbolic link stands for
    /// its target. A new file will belong to `owner` (user and group id), if one is given.
    ///
    /// # Errors
    /// The path is a directory, its directory is missing, or it cannot be written.
    pub fn prepare(path: &Path, owner: Option<(u32, u32)>) -> Result<Self, OutputError> {
        let failed = |source| OutputError { path: path.to_owned(), source };
        let way = match path.to_str() {
            // Standard output may be a file that others write to as well: it is not to be replaced.
            Some("-" | "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => Way::Stdout,
            Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => Way::Stderr,
            _ => find_way(path).map_err(failed)?,
        };
        if matches!(way, Way::Stdout | Way::Stderr) {
            stream(&way).map_err(failed)?;
        }
        Ok(Self { named: path.to_owned(), way, owner, settled: false })
    }

    /// The path as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.named
    }

    /// The file that will be written: what a link leads to. `None`: a standard stream.
    #[must_use]
    pub fn target(&self) -> Option<&Path> {
        match &self.way {
            Way::Replace(path) | Way::InPlace(path) => Some(path),
            Way::Stdout | Way::Stderr => None,
        }
    }

    /// Whether this is standard output.
    #[must_use]
    pub fn is_standard_output(&self) -> bool {
        self.way == Way::Stdout
    }

    /// Whether this is a regular file, or will be one.
    #[must_use]
    pub fn is_file(&self) -> bool {
        match &self.way {
            Way::Stdout | Way::Stderr => false,
            Way::Replace(_) => true,
            Way::InPlace(path) => path.is_file(),
        }
    }

    /// Whether both are one place, so that one would destroy what the other has written.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let file = |way: &Way| match way {
            Way::Replace(path) | Way::InPlace(path) => {
                let found = fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
                let folder = fs::canonicalize(directory(path)).ok();
                Some((found, folder.filter(|_| found.is_none()), path.file_name().map(ToOwned::to_owned)))
            }
            Way::Stdout | Way::Stderr => None,
        };
        match (file(&self.way), file(&other.way)) {
            (None, None) => self.way == other.way,
            (Some((Some(one), ..)), Some((Some(two), ..))) => one == two && !is_device(&self.way),
            (one, two) => one == two,
        }
    }

    /// Writes text or bytes. A new file gets mode 0666 less the umask; one that is replaced keeps its mode and owner.
    ///
    /// # Errors
    /// Writing failed. A file that was to be replaced is then unchanged.
    pub fn write(&self, content: impl AsRef<[u8]>) -> Result<Written, OutputError> {
        let content = content.as_ref();
        let result = match &self.way {
            Way::Stdout | Way::Stderr => write_stream(&self.way, content),
            Way::Replace(path) => self.replace(path, content),
            Way::InPlace(path) => write_over(path, content, self.settled),
        };
        result.map_err(|source| OutputError { path: self.named.clone(), source })
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<Written> {
        let mut file = match Temporary::beside(path) {
            Ok(file) => file,
            // The directory can have become read-only for us meanwhile.
            Err(error) if forbidden(&error) && fs::metadata(path).is_ok() => {
                return write_over(path, content, true);
            }
            Err(error) => return Err(error),
        };
        // Before the content: it may hold what not everybody is to read.
        match fs::symlink_metadata(path) {
            Ok(old) if old.is_file() => {
                // Only root can give files away; another's file is then replaced by one of ours.
                let _ = fchown(file.file(), Some(old.uid()), Some(old.gid()));
                file.file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
            }
            _ => {
                if let Some((uid, gid)) = self.owner {
                    fchown(file.file(), Some(uid), Some(gid))?;
                }
            }
        }
        file.file().write_all(content)?;
        file.file().sync_all()?;
        match file.rename(path) {
            Ok(()) => Ok(Written::Atomically),
            // A file that something is mounted on, or that is another's in a sticky directory, cannot be replaced,
            // which shows only now.
            Err(error) if is_unreplaceable(&error) => write_over(path, content, true),
            Err(error) => Err(error),
        }
    }
}

fn is_unreplaceable(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::PermissionDenied)
}

fn is_device(way: &Way) -> bool {
    matches!(way, Way::InPlace(path) if !path.is_file())
}

fn find_way(path: &Path) -> io::Result<Way> {
    // Before anything is resolved: a descriptor in /proc has no path of its own.
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        // Opening a pipe here would wait for its reader.
        Ok(found) if !found.is_file() || is_descriptor(path) => return Ok(Way::InPlace(path.to_owned())),
        _ => {}
    }
    let text = path.to_string_lossy();
    if text.ends_with('/') || text.ends_with("/.") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let target = resolve(path)?;
    let probe = temporary::may_create_beside(&target);
    match (probe, OpenOptions::new().write(true).open(&target)) {
        // A file that is immutable, or on a read-only mount of its own, in a directory that is not.
        (Ok(_), Err(error)) if unchangeable(&error) => Err(error),
        (Ok(_), _) => Ok(Way::Replace(target)),
        (Err(error), Ok(_)) if forbidden(&error) => Ok(Way::InPlace(target)),
        (Err(error), _) => Err(error),
    }
}

/// The file that a path stands for: the target of a link is rewritten in its own directory, and that of a dangling
/// link is created.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    // As many links as the kernel follows.
    for _ in 0..40 {
        match fs::canonicalize(&target) {
            Ok(found) => return Ok(found),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => match fs::read_link(&target) {
                Ok(link) => target = directory(&target).join(link),
                Err(_) => return Ok(target),
            },
        }
    }
    Err(io::Error::from_raw_os_error(nix::libc::ELOOP))
}

fn is_descriptor(path: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.parent() == Some(Path::new(folder)))
}

/// Whether a file cannot be changed even by those who may write it.
fn unchangeable(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(nix::libc::EPERM | nix::libc::EROFS))
}

/// Whether a directory takes no new file from us, for good: not that it has no room for one just now.
fn forbidden(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(nix::libc::EACCES | nix::libc::EPERM | nix::libc::EROFS))
}

/// The directory of a path, `.` for a bare name.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A descriptor of our own for a standard stream that can be written: the library's own stream takes a closed one for
/// an open one.
fn stream(way: &Way) -> io::Result<File> {
    let owned = match way {
        Way::Stderr => io::stderr().as_fd().try_clone_to_owned()?,
        _ => io::stdout().as_fd().try_clone_to_owned()?,
    };
    let flags = OFlag::from_bits_retain(fcntl(&owned, FcntlArg::F_GETFL)?);
    if flags & OFlag::O_ACCMODE == OFlag::O_RDONLY {
        return Err(io::Error::from_raw_os_error(nix::libc::EBADF));
    }
    Ok(owned.into())
}

fn write_stream(way: &Way, content: &[u8]) -> io::Result<Written> {
    stream(way)?.write_all(content)?;
    Ok(Written::InPlace)
}

/// Gets the room for a file's new content before the old one is touched.
fn reserve(file: &File, old: u64, new: usize) -> io::Result<()> {
    let length = nix::libc::off_t::try_from(new).unwrap_or(nix::libc::off_t::MAX);
    match fallocate(file, FallocateFlags::empty(), 0, length) {
        Err(Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG) => {
            file.set_len(old)?;
            Err(io::ErrorKind::StorageFull.into())
        }
        // Not every file system can tell.
        _ => Ok(()),
    }
}

/// `settled`: the path was resolved before, and leads to a regular file.
fn write_over(path: &Path, content: &[u8], settled: bool) -> io::Result<Written> {
    let flags = if settled { OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK } else { OFlag::empty() };
    let mut file: File =
        OpenOptions::new().write(true).truncate(false).custom_flags(flags.bits()).open(path)?;
    let before = file.metadata()?;
    if settled && !before.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    if before.is_file() {
        reserve(&file, before.len(), content.len())?;
    }
    file.write_all(content)?;
    if before.is_file() {
        file.set_len(content.len() as u64)?;
    }
    // Devices and pipes cannot be synchronised.
    let _ = file.sync_all();
    Ok(Written::InPlace)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn write(path: &Path, text: &str) -> Written {
        Output::prepare(path, None).unwrap().write(text).unwrap()
    }

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap().ino();
        assert_eq!(write(&path, "new"), Written::Atomically);
        let after = fs::metadata(&path).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), after.mode() & 0o777), ("new", 0o640));
        assert_ne!(after.ino(), before, "replaced, not overwritten");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn preparing_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.json");
        Output::prepare(&path, None).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn links_are_written_through_even_dangling_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("there")).unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("there/p.json"));
        symlink("there/p.json", &link).unwrap();
        for text in ["one", "two"] {
            assert_eq!(write(&link, text), Written::Atomically);
            assert_eq!(fs::read_to_string(&target).unwrap(), text);
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
    }

    #[test]
    fn a_chain_of_dangling_links_is_followed_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink("b", path("a")).unwrap();
        symlink("c", path("b")).unwrap();
        assert_eq!(write(&path("a"), "x"), Written::Atomically);
        assert!(fs::symlink_metadata(path("c")).unwrap().is_file());
        symlink("loop", path("loop")).unwrap();
        assert!(Output::prepare(&path("loop"), None).is_err());
    }

    #[test]
    fn one_place_under_two_names_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| Output::prepare(&folder.path().join(name), None).unwrap();
        fs::write(folder.path().join("old"), "").unwrap();
        fs::hard_link(folder.path().join("old"), folder.path().join("hard")).unwrap();
        symlink("new", folder.path().join("soft")).unwrap();
        assert!(place("old").is_same_place(&place("hard")));
        assert!(place("new").is_same_place(&place("soft")));
        assert!(place("new").is_same_place(&place("./new")));
        assert!(!place("new").is_same_place(&place("old")));
        let device = || Output::prepare(Path::new("/dev/null"), None).unwrap();
        assert!(!device().is_same_place(&device()), "nothing is lost there");
    }

    #[test]
    fn devices_are_written_in_place() {
        assert_eq!(write(Path::new("/dev/null"), "x"), Written::InPlace);
    }

    #[test]
    fn what_cannot_be_written_is_found_before() {
        let folder = tempfile::tempdir().unwrap();
        for (path, expected) in [
            (folder.path().join("missing/p.json"), "No such file"),
            (folder.path().to_owned(), "directory"),
            (folder.path().join("new/"), "directory"),
            (PathBuf::from("/proc/p.json"), "No such file"),
        ] {
            let error = Output::prepare(&path, None).unwrap_err();
            assert!(error.to_string().contains(&*path.to_string_lossy()), "{error}");
            assert!(error.source.to_string().contains(expected), "{}", error.source);
        }
    }
}
