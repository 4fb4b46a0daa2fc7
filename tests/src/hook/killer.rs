//! A thread that watches the hook's processes, and kills one of them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Hook;

/// Who is killed, and when.
#[derive(Debug, Clone, Copy)]
pub struct Victim {
    /// How long after the first of them was seen.
    pub delay: Duration,
    /// Which of those that live then: the remainder by their number.
    pub which: usize,
}

/// What was seen, and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Killed {
    /// The process that was killed, if one lived at that moment.
    pub pid: Option<Pid>,
    /// How many lived at that moment.
    pub alive: usize,
    /// How long processes of the hook were seen.
    pub seen_for: Duration,
}

/// The thread.
#[derive(Debug)]
pub struct Killer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Killed>,
}

impl Killer {
    /// Starts to watch, from when the file `after` is there. Without a victim it kills nobody, and tells how long
    /// processes of the hook were seen.
    #[must_use]
    pub fn start(hook: &Hook, after: Option<&Path>, victim: Option<Victim>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let hook = Hook { path: hook.path.clone() };
        let after = after.map(Path::to_owned);
        let thread = std::thread::spawn(move || watch(&hook, after.as_deref(), victim.as_ref(), &stopped));
        Self { stop, thread }
    }

    /// Ends the watch.
    #[must_use]
    pub fn stop(self) -> Killed {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watching thread does not panic")
    }
}

fn watch(hook: &Hook, after: Option<&Path>, victim: Option<&Victim>, stopped: &AtomicBool) -> Killed {
    let mut killed = Killed { pid: None, alive: 0, seen_for: Duration::ZERO };
    let mut first = None;
    while !stopped.load(Ordering::Relaxed) {
        // Two cores have to run the hook as well.
        std::thread::sleep(Duration::from_micros(100));
        if after.is_some_and(|file| !file.exists()) {
            continue;
        }
        let processes = hook.processes();
        if processes.is_empty() {
            continue;
        }
        let first = *first.get_or_insert_with(Instant::now);
        killed.seen_for = first.elapsed();
        if let Some(victim) = victim
            && killed.alive == 0
            && first.elapsed() >= victim.delay
        {
            killed.alive = processes.len();
            let pid = processes[victim.which % processes.len()];
            killed.pid = kill(pid, Signal::SIGKILL).is_ok().then_some(pid);
        }
    }
    killed
}
