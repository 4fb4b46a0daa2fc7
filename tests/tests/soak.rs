//! Everything at once, for as long as one likes: see `make soak`.

use std::time::Duration;

use seccomp_trace_tests::soak::{Counts, Limits, soak};
use seccomp_trace_tests::{full, privileged};

/// Seconds from the environment: `make soak` sets them, and wants a thousand targets.
fn seconds() -> Option<u64> {
    std::env::var("SECCOMP_TRACE_SOAK_SECONDS").ok().map(|text| text.parse().expect("seconds"))
}

/// A tenth, the whole, or as long as was asked for.
#[test]
fn what_is_started_and_killed_at_random_is_recorded_exactly_and_nothing_is_left() {
    privileged!();
    let counts = match (seconds(), full()) {
        (Some(seconds), _) => soak(Limits { time: Duration::from_secs(seconds), targets: u64::MAX }),
        (None, true) => soak(Limits { time: Duration::from_secs(900), targets: 1000 }),
        (None, false) => soak(Limits { time: Duration::from_secs(30), targets: 100 }),
    };
    let Counts { commands, attached, containers, compared, differences, leftovers, .. } = counts;
    assert_eq!((differences, leftovers), (0, 0), "see above");
    assert!(commands > 0 && attached > 0 && containers > 0 && compared > 0, "{counts}");
}
