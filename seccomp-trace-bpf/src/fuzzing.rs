//! What reads the bytes of the BPF programs, for the project's fuzz targets. Nothing here is for others.

use seccomp_trace_core::Event;

use crate::clock::Clock;
use crate::{containers, events, live, tally, wire};

/// Decodes a record of the ring.
///
/// # Errors
/// It is none.
pub fn record(bytes: &[u8]) -> Result<Event, impl std::error::Error + use<>> {
    events::decode(bytes, Clock::fixed(u64::MAX / 2)).map(|record| record.event)
}

/// Decodes the values of the maps; nothing may be said of the result but that there is one.
pub fn values(bytes: &[u8]) {
    let _ = (wire::who(bytes), wire::target(bytes), wire::pass(bytes), wire::entrance_slot(bytes));
    let _ = (wire::member_of(bytes), tally::understand(bytes));
    let _ = (wire::is_of_slot(bytes, 0), bytes.iter().any(|byte| wire::was_seen(*byte)));
}

/// Decodes a record of a live view's ring, and what comes of it; `None` where that waits for another record.
///
/// # Errors
/// It is none.
pub fn view(bytes: &[u8]) -> Result<Option<Event>, impl std::error::Error + use<>> {
    live::event(bytes, Clock::fixed(u64::MAX / 2))
}

/// Reads a text as what runtimes and engines keep of containers.
pub fn container(text: &str) {
    containers::understand(text);
}
