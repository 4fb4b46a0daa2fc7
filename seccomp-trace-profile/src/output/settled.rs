//! Writing to a path that was resolved before, where somebody else may have changed what it leads to.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat2};

use super::{Output, OutputError, Way, Written, directory, forbidden, temporary};

/// A regular file, or the place for one, that is reached without following any link.
///
/// For paths that were found good when nobody else could touch them, and are used when somebody could: a container that
/// has its output's directory mounted may put a link or a pipe there.
#[derive(Debug)]
#[must_use]
pub struct SettledOutput {
    output: Output,
    /// The path in `output` leads through it.
    _directory: OwnedFd,
}

impl SettledOutput {
    /// Opens the directory of `path`, which is absolute and holds no link, and finds out how its file can be written.
    ///
    /// # Errors
    /// The directory is missing, the path holds a link, the file is there and is no regular file, or nothing can be
    /// written.
    pub fn open(path: &Path) -> Result<Self, OutputError> {
        let failed = |source| OutputError { path: path.to_owned(), source };
        let (directory, way) = open(path).map_err(failed)?;
        let output = Output { named: path.to_owned(), way, owner: None, settled: true };
        Ok(Self { output, _directory: directory })
    }

    /// As [`Output::write`].
    ///
    /// # Errors
    /// Writing failed. The file is then as it was.
    pub fn write(&self, content: impl AsRef<[u8]>) -> Result<Written, OutputError> {
        self.output.write(content)
    }
}

fn open(path: &Path) -> io::Result<(OwnedFd, Way)> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    let opened = openat2(AT_FDCWD, directory(path), how)?;
    let through = PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd())).join(name);
    let there = match fs::symlink_metadata(&through) {
        Ok(found) if !found.is_file() => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "there is a link, or something else that is no regular file",
            ));
        }
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    let way = match temporary::may_create_beside(&through) {
        Ok(()) => Way::Replace(through),
        Err(error) if there && forbidden(&error) => Way::InPlace(through),
        Err(error) => return Err(error),
    };
    Ok((opened, way))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn text(error: &OutputError) -> String {
        format!("{error}: {}", error.source)
    }

    #[test]
    fn a_file_is_made_and_replaced_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("p.json");
        for content in ["one", "two"] {
            assert_eq!(SettledOutput::open(&path).unwrap().write(content).unwrap(), Written::Atomically);
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    /// A container that has the directory mounted can put anything there.
    #[test]
    fn links_pipes_and_directories_are_refused_wherever_they_are_in_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let victim = root.join("victim");
        fs::write(&victim, "precious").unwrap();
        fs::create_dir(root.join("d")).unwrap();
        symlink(&victim, root.join("link")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink(root.join("d"), root.join("way")).unwrap();
        nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for name in ["link", "dangling", "way/p.json", "pipe", "d"] {
            let error = SettledOutput::open(&root.join(name)).unwrap_err();
            assert!(text(&error).contains(name), "{}", text(&error));
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert!(fs::read_dir(root.join("d")).unwrap().next().is_none());
    }

    /// Between the look and the writing there is time, too.
    #[test]
    fn a_link_that_comes_after_the_look_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (path, victim) = (root.join("p.json"), root.join("victim"));
        fs::write(&victim, "precious").unwrap();
        let output = SettledOutput::open(&path).unwrap();
        symlink(&victim, &path).unwrap();
        let _ = output.write("profile").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    /// The kernel looks the whole path up at once, so there is no moment in which a check holds no more.
    #[test]
    fn a_directory_that_turns_into_a_link_and_back_never_leads_out() {
        use std::sync::atomic::{AtomicBool, Ordering};

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let (way, aside) = (root.join("way"), root.join("aside"));
        for name in ["victim", "way"] {
            fs::create_dir(root.join(name)).unwrap();
        }
        let done = AtomicBool::new(false);
        let turns = std::thread::scope(|scope| {
            let turning = scope.spawn(|| {
                let mut turns = 0;
                while !done.load(Ordering::Relaxed) {
                    fs::rename(&way, &aside).unwrap();
                    symlink("victim", &way).unwrap();
                    fs::remove_file(&way).unwrap();
                    fs::rename(&aside, &way).unwrap();
                    turns += 1;
                }
                turns
            });
            let (mut written, mut refused) = (0, 0);
            while written < 200 || refused < 200 {
                match SettledOutput::open(&way.join("p.json")) {
                    Ok(output) => written += usize::from(output.write("profile").is_ok()),
                    Err(_) => refused += 1,
                }
            }
            done.store(true, Ordering::Relaxed);
            turning.join().unwrap()
        });
        assert!(turns > 0);
        assert_eq!(fs::read_dir(root.join("victim")).unwrap().count(), 0);
    }
}
