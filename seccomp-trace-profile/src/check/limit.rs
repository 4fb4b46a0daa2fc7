//! A time limit for libseccomp, which cannot be asked to stop.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::ProfileError;

/// The time that libseccomp gets. Where it gets done at all, it is done in milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

/// Does the work in a thread of its own, and waits for it no longer than the limit. A thread that is not done by then is
/// left behind; it ends with the process.
pub(super) fn within<T: Send + 'static>(
    name: String,
    work: impl FnOnce() -> Result<T, ProfileError> + Send + 'static,
) -> Result<T, ProfileError> {
    let (done, result) = channel();
    let thread = thread::Builder::new().name("libseccomp".to_owned()).spawn(move || {
        // Where nobody waits any more, nobody is to be told.
        let _ = done.send(work());
    });
    let thread = thread.map_err(|source| ProfileError::Export { source })?;
    match result.recv_timeout(LIMIT) {
        Ok(result) => result,
        Err(RecvTimeoutError::Timeout) => Err(ProfileError::Endless { name, seconds: LIMIT.as_secs() }),
        // It panicked, and so do we.
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("a thread that has not panicked sends its result"),
        },
    }
}
