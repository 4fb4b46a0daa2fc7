//! Numbers for moments and choices that no test should get used to.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// xorshift64: not good for anything but spreading moments.
#[derive(Debug, Clone, Copy)]
pub struct Random(u64);

impl Random {
    /// Starts somewhere else each time.
    #[must_use]
    pub fn new() -> Self {
        Self(RandomState::new().hash_one(0) | 1)
    }

    /// A number from 0 up to, and without, `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    /// Some moment of so long a life, and a little after it.
    pub fn moment(&mut self, life: Duration) -> Duration {
        let micros = u64::try_from(life.as_micros()).expect("a short life");
        Duration::from_micros(self.below(micros * 11 / 10 + 1))
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}
