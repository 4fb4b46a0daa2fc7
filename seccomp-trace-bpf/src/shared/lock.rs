//! Locks that processes hold on files, and that end with their holder.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::state::make_directory;
use crate::Error;

/// How long anybody waits for a lock. What is done under one takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a lock that another holds is tried again.
const AGAIN: Duration = Duration::from_millis(2);

/// A lock that is held until this is dropped, or its process ends.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _file: Flock<File>,
}

impl Lock {
    /// Takes the lock on a file, which is created if it is missing; its directory too, with mode 0700.
    pub(crate) fn create(path: &Path) -> Result<Self, Error> {
        let open = || {
            if let Some(directory) = path.parent() {
                make_directory(directory)?;
            }
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
        };
        // Its directory may be removed between the two: that is no reason to give up.
        Self::wait(path, open, true)?.ok_or_else(|| Error::LockTimeout { path: path.to_owned() })
    }

    /// Takes the lock on a file that exists. `None`: it is gone, or goes while we wait.
    pub(crate) fn existing(path: &Path) -> Result<Option<Self>, Error> {
        Self::wait(path, || OpenOptions::new().write(true).open(path), false)
    }

    /// Whether somebody holds the lock on a file.
    pub(crate) fn is_held(path: &Path) -> bool {
        let Ok(file) = OpenOptions::new().write(true).open(path) else { return false };
        matches!(Flock::lock(file, FlockArg::LockExclusiveNonblock), Err((_, Errno::EWOULDBLOCK)))
    }

    /// Removes the file. Whoever waits for its lock finds out.
    pub(crate) fn remove(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    fn wait(
        path: &Path,
        open: impl Fn() -> io::Result<File>,
        again_if_missing: bool,
    ) -> Result<Option<Self>, Error> {
        let failed = |source| Error::State { doing: "lock", path: path.to_owned(), source };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match open() {
                Ok(file) => match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                    Ok(held) if is_at(&held, path).map_err(failed)? => {
                        return Ok(Some(Self { path: path.to_owned(), _file: held }));
                    }
                    // The last holder has removed what we opened.
                    Ok(_) => continue,
                    Err((_, Errno::EWOULDBLOCK | Errno::EINTR)) => {}
                    Err((_, errno)) => return Err(failed(errno.into())),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if !again_if_missing {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(failed(error)),
            }
            if Instant::now() >= deadline {
                return Err(Error::LockTimeout { path: path.to_owned() });
            }
            std::thread::sleep(AGAIN);
        }
    }
}

/// Whether the path still leads to the file.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let held = file.metadata()?;
    match fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (held.dev(), held.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
