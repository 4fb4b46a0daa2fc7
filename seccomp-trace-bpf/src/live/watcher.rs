//! When a session looks at the live view again.

use std::time::{Duration, Instant};

use seccomp_trace_core::Sink;

use super::Live;
use crate::Error;

/// How long after a record the ring is looked at again: until then the kernel does not wake us (`WAKE_NS`).
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How often calls that go on are looked for.
const WALK: Duration = Duration::from_millis(100);

/// What one session has seen of the live view.
#[derive(Debug)]
pub(crate) struct Watcher {
    found: Instant,
    walked: Instant,
    misses: u64,
}

impl Watcher {
    pub(crate) fn new(live: &Live) -> Result<Self, Error> {
        let now = Instant::now();
        Ok(Self { found: now, walked: now, misses: live.misses()? })
    }

    /// Looks for calls that go on, and for runs that the kernel skipped, where it is time to.
    pub(crate) fn walk(&mut self, live: &Live, sink: &mut dyn Sink) -> Result<(), Error> {
        if self.walked.elapsed() < WALK {
            return Ok(());
        }
        self.walked = Instant::now();
        live.walk()?;
        let misses = live.misses()?;
        if misses > self.misses {
            sink.lost(misses - self.misses);
            self.misses = misses;
        }
        Ok(())
    }

    /// Whether the ring had something.
    pub(crate) fn found(&mut self, something: bool) {
        if something {
            self.found = Instant::now();
        }
    }

    /// How long to sleep at most; `idle` where there has been nothing for a while.
    pub(crate) fn patience(&self, idle: Duration) -> Duration {
        let since = self.found.elapsed();
        match () {
            () if since <= LOOK_AGAIN * 2 => LOOK_AGAIN,
            () if since <= WALK * 2 => WALK,
            () => idle,
        }
    }
}
