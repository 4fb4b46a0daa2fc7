//! Writing a file so that every reader finds either the old content or the whole new one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

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
}

impl Output {
    /// Finds out how `path` can be written, without changing it. `-` is standard output; a symbolic link stands for
    /// its target. A new file will belong to `owner` (user and group id), if one is given.
    ///
    /// # Errors
    /// The path is a directory, its directory is missing, or it cannot be written.
    pub fn prepare(path: &Path, owner: Option<(u32, u32)>) -> Result<Self, OutputError> {
        let failed = |source| OutputError { path: path.to_owned(), source };
        let way = if path == Path::new("-") { Way::Stdout } else { find_way(path).map_err(failed)? };
        Ok(Self { named: path.to_owned(), way, owner })
    }

    /// The path as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.named
    }

    /// Whether this is a regular file, or will be one.
    #[must_use]
    pub fn is_file(&self) -> bool {
        match &self.way {
            Way::Stdout => false,
            Way::Replace(_) => true,
            Way::InPlace(path) => path.is_file(),
        }
    }

    /// Writes text or bytes. A new file gets mode 0666 less the umask; one that is replaced keeps its mode and owner.
    ///
    /// # Errors
    /// Writing failed. A file that was to be replaced is then unchanged.
    pub fn write(&self, content: impl AsRef<[u8]>) -> Result<Written, OutputError> {
        let content = content.as_ref();
        let result = match &self.way {
            Way::Stdout => write_stdout(content),
            Way::Replace(path) => self.replace(path, content),
            Way::InPlace(path) => write_over(path, content),
        };
        result.map_err(|source| OutputError { path: self.named.clone(), source })
    }

    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<Written> {
        let mut file = temporary(path)?;
        file.write_all(content)?;
        match fs::metadata(path) {
            Ok(old) => {
                // Only root can give files away; another's file is then replaced by one of ours.
                let _ = fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
                file.as_file().set_permissions(Permissions::from_mode(old.mode() & 0o7777))?;
            }
            Err(_) => {
                if let Some((uid, gid)) = self.owner {
                    fchown(file.as_file(), Some(uid), Some(gid))?;
                }
            }
        }
        file.as_file().sync_all()?;
        match file.persist(path) {
            Ok(_) => Ok(Written::Atomically),
            // A file that something is mounted on cannot be replaced, which shows only now.
            Err(error) if error.error.kind() == io::ErrorKind::ResourceBusy => write_over(path, content),
            Err(error) => Err(error.error),
        }
    }
}

fn find_way(path: &Path) -> io::Result<Way> {
    // The target of a link is rewritten in its own directory; a dangling link's target is created.
    let target = match fs::canonicalize(path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::read_link(path) {
            Ok(link) => directory(path).join(link),
            Err(_) => path.to_owned(),
        },
        Err(error) => return Err(error),
    };
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            // Opening a pipe here would wait for its reader.
            return Ok(Way::InPlace(target));
        }
        _ if path.to_string_lossy().ends_with('/') => return Err(io::ErrorKind::IsADirectory.into()),
        _ => {}
    }
    match temporary(&target) {
        Ok(_probe) => Ok(Way::Replace(target)),
        Err(error) => match OpenOptions::new().write(true).open(&target) {
            Ok(_) => Ok(Way::InPlace(target)),
            Err(_) => Err(error),
        },
    }
}

/// The directory of a path, `.` for a bare name.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside `path` that disappears unless it is persisted.
fn temporary(path: &Path) -> io::Result<NamedTempFile<File>> {
    let open = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o666).open(path);
    tempfile::Builder::new().prefix(".seccomp-trace-").make_in(directory(path), open)
}

fn write_stdout(content: &[u8]) -> io::Result<Written> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(content)?;
    stdout.flush()?;
    Ok(Written::InPlace)
}

fn write_over(path: &Path, content: &[u8]) -> io::Result<Written> {
    let mut file: File = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(content)?;
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
