//! When a session looks at the live view again.

use std::time::{Duration, Instant};

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
    /// Calls that a target is in when it comes under observation begin now.
    pub(crate) fn new(live: &Live) -> Result<Self, Error> {
        live.walk()?;
        let now = Instant::now();
        Ok(Self { found: now, walked: now, misses: live.misses()? })
    }

    /// Looks for calls that go on, where it is time to. The number of program runs that the kernel skipped since then,
    /// each of them an event less.
    pub(crate) fn walk(&mut self, live: &Live) -> Result<u64, Error> {
        if self.walked.elapsed() < WALK {
            return Ok(0);
        }
        self.walked = Instant::now();
        live.walk()?;
        let before = std::mem::replace(&mut self.misses, live.misses()?);
        Ok(self.misses.saturating_sub(before))
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
