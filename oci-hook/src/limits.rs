//! What a runtime has set for its hooks as well: the container's limits, and a umask of its own.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::sys::stat::{Mode, umask};

/// More descriptors than loading the programs takes.
const DESCRIPTORS: u64 = 256;

/// New files are of mode 0644 at most, whatever the umask of the runtime is.
pub(crate) fn narrow_umask() {
    let narrow = Mode::S_IWGRP | Mode::S_IWOTH;
    let before = umask(narrow);
    umask(before | narrow);
}

/// Raises what would keep us from working, as far as we may; what is not enough shows where it is used.
pub(crate) fn raise() {
    for (resource, wanted) in
        [(Resource::RLIMIT_NOFILE, DESCRIPTORS), (Resource::RLIMIT_FSIZE, nix::libc::RLIM_INFINITY)]
    {
        let Ok((soft, hard)) = getrlimit(resource) else { continue };
        if soft < wanted && setrlimit(resource, wanted, wanted.max(hard)).is_err() {
            let _ = setrlimit(resource, wanted.min(hard), hard);
        }
    }
    // SAFETY: ignoring a signal runs no code. A file over the limit is then an error that can be told.
    let _ = unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) };
}
