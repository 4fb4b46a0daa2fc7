//! Commands, processes that run already, and containers, started and ended at random and at the same time, each with its
//! own rare calls, while tracers and hooks are killed and stopped: every recording is exact, and nothing is left.

mod attach;
mod container;
mod counts;
mod load;
mod oracle;
mod run;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use container::Containers;
pub use counts::Counts;
use load::Load;
use oracle::Oracle;

use crate::hook::Random;
use crate::{harmless, say};

/// How long it goes on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Nothing is begun after this time.
    pub time: Duration,
    /// Nothing is begun after so many targets.
    pub targets: u64,
}

/// What all workers share.
struct Soak {
    oracle: Oracle,
    counts: Mutex<Counts>,
    folder: tempfile::TempDir,
}

impl Soak {
    fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(&mut self.counts.lock().expect("no worker panics while it counts"));
    }
}

/// A target's own calls: any of the rare ones, but not none.
fn any(random: &mut Random) -> BTreeSet<&'static str> {
    let share = 1 + random.below(9);
    let mut names: BTreeSet<_> = harmless().into_iter().filter(|_| random.below(10) < share).collect();
    names.insert("getpgid");
    names
}

/// Runs it with four workers; gives what was counted. Differences and what is left are in there, and said.
#[must_use]
pub fn soak(limits: Limits) -> Counts {
    let folder = crate::scratch();
    let soak = Soak { oracle: Oracle::ask(), counts: Mutex::default(), folder };
    let containers = Containers::new();
    let started = Instant::now();
    let goes_on = || {
        started.elapsed() < limits.time && soak.counts.lock().expect("as above").targets() < limits.targets
    };
    let load = Load::start();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|worker| {
                let (soak, containers, goes_on) = (&soak, &containers, &goes_on);
                scope.spawn(move || {
                    let mut random = Random::new();
                    let place = containers.place(worker);
                    let mut number = 0;
                    while goes_on() {
                        let name = format!("{worker}-{number}");
                        let own = any(&mut random);
                        match random.below(10) {
                            0..5 => run::target(soak, &name, &own, &mut random),
                            5..7 => attach::target(soak, &name, &own, &mut random),
                            _ => place.target(soak, &name, &own),
                        }
                        number += 1;
                    }
                })
            })
            .collect();
        let killer = scope.spawn(|| containers.kill_hooks(&soak, &goes_on));
        for thread in workers.into_iter().chain([killer]) {
            thread.join().expect("a worker failed; it has said why");
        }
    });
    drop(load);
    containers.finish(&soak);
    let mut counts = soak.counts.into_inner().expect("no worker panics while it counts");
    counts.leftovers += left_in(soak.folder.path());
    say(&format!("soak of {} s: {counts}", started.elapsed().as_secs()));
    counts
}

/// What tracers left that nobody killed, and those whose output was never theirs to leave half.
fn left_in(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder of ours");
    let mut left = 0;
    for entry in entries {
        say(&format!("soak: {} is left", entry.expect("an entry").path().display()));
        left += 1;
    }
    left
}
