//! Confines what annotations name to the directories that the administrator allows: where users choose annotations,
//! a hook that runs as root would else write wherever they say.

use std::io;
use std::path::{Path, PathBuf};

/// As many links as the kernel follows in one path (`MAXSYMLINKS`, `include/linux/namei.h`).
const LINKS: usize = 40;

/// The directories that are allowed; none given: everything is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed(Vec<PathBuf>);

/// Why a path may not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AllowError {
    #[error("cannot use {}", path.display())]
    Unresolved { path: PathBuf, source: io::Error },
    #[error("{} {}is not in a directory that is allowed ({})", path.display(), what(path, resolved), list(allowed))]
    Outside { path: PathBuf, resolved: PathBuf, allowed: Vec<PathBuf> },
}

fn what(path: &Path, resolved: &Path) -> String {
    if path == resolved { String::new() } else { format!("leads to {}, which ", resolved.display()) }
}

fn list(directories: &[PathBuf]) -> String {
    directories.iter().map(|directory| directory.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Allowed {
    pub(crate) fn new(directories: Vec<PathBuf>) -> Self {
        Self(directories)
    }

    /// The place that `path` leads to: every link and every `..` is resolved, of the file itself as well, also where
    /// that link dangles. Use this path and not the one that was named, so that what was checked is what is used.
    ///
    /// # Errors
    /// The place is in none of the directories, or the directory it would be in is missing. With no directory given,
    /// every path is allowed, and is returned as it is.
    pub(crate) fn resolve(&self, path: &Path) -> Result<PathBuf, AllowError> {
        if self.0.is_empty() {
            return Ok(path.to_owned());
        }
        let resolved =
            follow(path).map_err(|source| AllowError::Unresolved { path: path.to_owned(), source })?;
        // A directory that does not exist holds nothing.
        let mut directories = self.0.iter().filter_map(|directory| directory.canonicalize().ok());
        if directories.any(|directory| resolved.starts_with(directory)) {
            return Ok(resolved);
        }
        Err(AllowError::Outside { path: path.to_owned(), resolved, allowed: self.0.clone() })
    }
}

/// Resolves all of a path whose last part need not exist.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match path.canonicalize() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            resolved => return resolved,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let parent = parent.canonicalize()?;
        let place = parent.join(name);
        match place.read_link() {
            // A link that dangles: opening it would make its target.
            Ok(target) => path = parent.join(target),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::from_raw_os_error(nix::libc::ELOOP))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder with `in/` (allowed), `out/` and `in/sub/`.
    fn place() -> (tempfile::TempDir, PathBuf, Allowed) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["in/sub", "out", "inside"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let allowed = Allowed::new(vec![root.join("in")]);
        (folder, root, allowed)
    }

    fn refused(allowed: &Allowed, path: &Path) -> String {
        let error = anyhow::Error::from(allowed.resolve(path).expect_err(&path.display().to_string()));
        format!("{error:#}")
    }

    #[test]
    fn without_directories_every_path_is_as_it_was_named() {
        let path = Path::new("/no/such/../folder/file");
        assert_eq!(Allowed::new(Vec::new()).resolve(path).unwrap(), path);
    }

    #[test]
    fn files_that_exist_or_will_are_allowed_inside() {
        let (_folder, root, allowed) = place();
        fs::write(root.join("in/old"), "").unwrap();
        for name in ["in/old", "in/new", "in/sub/new"] {
            assert_eq!(allowed.resolve(&root.join(name)).unwrap(), root.join(name));
        }
        assert_eq!(allowed.resolve(&root.join("out/../in/sub/../new")).unwrap(), root.join("in/new"));
    }

    /// The text is all that the author of the annotation gets to see.
    #[test]
    fn what_is_outside_is_refused_and_the_allowed_directories_are_named() {
        let (_folder, root, allowed) = place();
        for name in ["out/new", "inside/new", "in/../out/new", "in/sub/../../new"] {
            let text = refused(&allowed, &root.join(name));
            assert!(text.contains(&format!("({})", root.join("in").display())), "{text}");
            assert!(text.contains(name), "{text}");
        }
    }

    #[test]
    fn links_lead_out_neither_as_directories_nor_as_files_nor_dangling() {
        let (_folder, root, allowed) = place();
        fs::write(root.join("out/secret"), "").unwrap();
        symlink(root.join("out"), root.join("in/folder")).unwrap();
        symlink("../out/secret", root.join("in/file")).unwrap();
        symlink("../out/new", root.join("in/dangling")).unwrap();
        symlink("dangling", root.join("in/twice")).unwrap();
        for name in ["in/folder/new", "in/file", "in/dangling", "in/twice", "in/folder/../new"] {
            let text = refused(&allowed, &root.join(name));
            assert!(text.contains("is not in a directory that is allowed"), "{name}: {text}");
            assert!(text.contains("leads to"), "{name}: {text}");
        }
        assert!(!root.join("out/new").exists(), "nothing was made");
    }

    #[test]
    fn links_that_stay_inside_or_lead_inside_are_followed() {
        let (_folder, root, allowed) = place();
        symlink("sub/new", root.join("in/dangling")).unwrap();
        symlink(root.join("in"), root.join("out/back")).unwrap();
        assert_eq!(allowed.resolve(&root.join("in/dangling")).unwrap(), root.join("in/sub/new"));
        assert_eq!(allowed.resolve(&root.join("out/back/new")).unwrap(), root.join("in/new"));
        let through = Allowed::new(vec![root.join("missing"), root.join("out/back")]);
        assert_eq!(through.resolve(&root.join("in/new")).unwrap(), root.join("in/new"));
    }

    #[test]
    fn a_missing_directory_and_a_circle_are_errors() {
        let (_folder, root, allowed) = place();
        symlink("circle", root.join("in/circle")).unwrap();
        for (name, why) in [("in/no/new", "No such file"), ("in/circle", "symbolic links")] {
            let text = refused(&allowed, &root.join(name));
            assert!(text.contains(name) && text.contains(why), "{text}");
        }
    }
}
