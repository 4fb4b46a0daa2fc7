//! Any one process of the hook is killed, at any moment: the profile is complete all the same, or nothing was started.

use std::path::Path;
use std::time::Duration;

use seccomp_trace_tests::hook::{Killed, Killer, Left, Random, Victim};
use seccomp_trace_tests::podman::{Settings, of, traced};
use seccomp_trace_tests::{Finished, Podman, full, rounds, say, wait_until, with_each_runtime};

with_each_runtime!(
    a_kill_at_prestart_starts_the_container_whole_or_not_at_all,
    a_kill_at_poststop_costs_nothing,
    a_killed_watcher_costs_nothing,
);

/// Makes three calls that are nobody else's, and the file that tells the end of the workload.
const WORKLOAD: &str = "/tracees/caller getpgid eventfd2 timerfd_create; : >/shared/end";
const CALLS: [&str; 3] = ["getpgid", "eventfd2", "timerfd_create"];

/// An environment whose containers tell when they end.
struct Place {
    podman: Podman,
    volume: String,
}

impl Place {
    fn new(runtime: &str, settings: &Settings) -> Self {
        let podman = Podman::with(runtime, settings);
        let shared = podman.path("shared");
        std::fs::create_dir(&shared).expect("a folder in a folder of ours");
        let volume = format!("{}:/shared", shared.display());
        Self { podman, volume }
    }

    /// Runs the workload while a killer watches: before its end, or after.
    fn run(&self, name: &str, after: bool, victim: Option<Victim>) -> (Finished, Killed) {
        let end = self.podman.path("shared/end");
        let _ = std::fs::remove_file(&end);
        let killer = Killer::start(self.podman.hook(), after.then_some(end.as_path()), victim);
        let annotation = of(&self.podman.out(name));
        let ran = self.podman.trace(&annotation, &["-v", &self.volume], &["sh", "-c", WORKLOAD]);
        (ran, killer.stop())
    }

    /// How long processes of the hook live at that stage, where nobody kills them.
    fn lifetime(&self, after: bool) -> Duration {
        let (ran, killed) = self.run("undisturbed.json", after, None);
        drop(ran.success());
        killed.seen_for.max(Duration::from_millis(1))
    }

    /// The end of the workload was reached.
    fn ended(&self) -> bool {
        Path::new(&self.podman.path("shared/end")).exists()
    }

    fn complete(&self, name: &str, context: &str) {
        let profile = self.podman.profile(name);
        assert!(profile.workload_has(&CALLS), "{context}: {profile:?}; the log: {:#?}", self.podman.said());
        assert!(profile.allowed().contains("rt_sigreturn"), "{context}: {profile:?}");
    }

    /// Nothing but profiles.
    fn nothing_is_left(&self, context: &str) {
        let mut left = self.podman.left(&[]);
        left.files.retain(|name| Path::new(name).extension().is_none_or(|extension| extension != "json"));
        assert_eq!(left, Left::default(), "{context}; the log: {:#?}", self.podman.said());
    }
}

/// A moment within the usual lifetime.
fn victim(random: &mut Random, lifetime: Duration) -> Victim {
    let microseconds = u64::try_from(lifetime.as_micros()).expect("a short time");
    let which = usize::try_from(random.below(8)).expect("a small number");
    Victim { delay: Duration::from_micros(random.below(microseconds)), which }
}

/// A test in which nobody was killed shows nothing.
fn enough(killed: usize, what: &str) {
    say(&format!("{what}: {killed} of {} were killed", rounds()));
    assert!(killed >= rounds() as usize / 10, "only {killed} of {} were killed", rounds());
}

/// The container waits for prestart: there is no third way.
fn a_kill_at_prestart_starts_the_container_whole_or_not_at_all(runtime: &str) {
    let place = Place::new(runtime, &Settings::default());
    let (lifetime, mut random, mut kills) = (place.lifetime(false), Random::new(), 0);
    for round in 0..rounds() {
        let name = format!("{round}.json");
        let victim = victim(&mut random, lifetime);
        let (ran, killed) = place.run(&name, false, Some(victim));
        // Processes of poststop are killed here too, where the delay is longer than prestart.
        kills += usize::from(killed.pid.is_some());
        let context = format!("{victim:?} {killed:?} {ran:?}");
        if ran.status.success() {
            place.complete(&name, &context);
        } else {
            assert_eq!(ran.code(), 126, "{context}");
            assert!(!place.ended(), "{context}");
            assert!(!place.podman.out(&name).exists(), "{context}");
        }
    }
    enough(kills, runtime);
    // Of a container that did not start nobody is told: it is cleared up later.
    drop(place.podman.cleanup().success());
    place.nothing_is_left("after all");
}

/// Either of the processes that write the profile.
fn a_kill_at_poststop_costs_nothing(runtime: &str) {
    let place = Place::new(runtime, &Settings::default());
    let (lifetime, mut random, mut kills) = (place.lifetime(true), Random::new(), 0);
    for round in 0..rounds() {
        let name = format!("{round}.json");
        let victim = victim(&mut random, lifetime);
        let (ran, killed) = place.run(&name, true, Some(victim));
        kills += usize::from(killed.pid.is_some());
        let context = format!("{victim:?} {killed:?} {ran:?}");
        assert!(ran.status.success(), "the container was harmed: {context}");
        place.complete(&name, &context);
        place.nothing_is_left(&context);
    }
    enough(kills, runtime);
}

/// With upstream's hook file a process of ours lives as long as the container: here it is killed while that runs, and
/// its guard takes over.
fn a_killed_watcher_costs_nothing(runtime: &str) {
    let place = Place::new(runtime, &Settings::upstream());
    let podman = &place.podman;
    for round in 0..if full() { 20 } else { 4 } {
        let name = format!("watched-{round}");
        let file = format!("{name}.json");
        let annotation = traced(&of(&podman.out(&file)));
        let script = "/tracees/caller getpgid eventfd2; echo up; read line </shared/go; exec /tracees/caller timerfd_create";
        let go = podman.path("shared/go");
        let _ = std::fs::remove_file(&go);
        nix::unistd::mkfifo(&go, nix::sys::stat::Mode::S_IRWXU).expect("a pipe in a folder of ours");
        podman.detach(&name, &["--annotation", &annotation, "-v", &place.volume], &["sh", "-c", script]);
        podman.wait_for_line(&name, "up");
        let watchers = podman.hook().processes();
        assert!(watchers.len() >= 2, "nobody would take over: {watchers:?}");
        let killed = watchers[round % watchers.len()];
        nix::sys::signal::kill(killed, nix::sys::signal::Signal::SIGKILL).expect("it lives");
        std::fs::write(&go, "go\n").expect("the container reads it");
        wait_until("the end of the watcher", || podman.hook().processes().is_empty());
        place.complete(&file, &format!("{killed} of {watchers:?}"));
    }
    place.nothing_is_left("after all");
}
