//! What keeps the machine busy meanwhile, and is nobody's target.

use std::process::Command;

use crate::Running;

/// A process that makes others all the time, and one that makes calls; both end with this.
pub(super) struct Load {
    _running: [Running; 2],
}

impl Load {
    pub(super) fn start() -> Self {
        let start = |script: &str| Running::start(Command::new("sh").args(["-c", script]));
        Self {
            _running: [
                start("while :; do /bin/true & wait; done"),
                start("while :; do dd if=/dev/zero of=/dev/null bs=1 count=100000 2>/dev/null; done"),
            ],
        }
    }
}
