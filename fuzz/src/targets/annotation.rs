//! The annotation that names files, and the directories they are confined to.

use std::path::{Component, Path};

use super::understood;
use crate::{allow, annotation};

/// Paths are absolute; resolved, they are in the directory that is allowed, whatever links and `..` they go through.
pub fn target(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let Some(read) = understood(annotation::parse(text)) else { return false };
    let allowed = allow::Allowed::new(vec!["/usr".into()]);
    for path in [Some(&read.output), read.input.as_ref()].into_iter().flatten() {
        assert!(path.is_absolute(), "{path:?}");
        if let Some(resolved) = understood(allowed.resolve(path)) {
            assert_inside(&resolved, Path::new("/usr"));
        }
    }
    true
}

fn assert_inside(path: &Path, directory: &Path) {
    assert!(path.starts_with(directory), "{path:?}");
    assert!(!path.components().any(|part| part == Component::ParentDir), "{path:?}");
    assert!(!path.is_symlink(), "{path:?}");
    let parent = path.parent().filter(|_| path != directory).unwrap_or(directory);
    assert_eq!(parent.canonicalize().ok().as_deref(), Some(parent), "{path:?}");
}
