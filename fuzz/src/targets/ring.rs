//! What the BPF programs write: records of the ring, and the values of the maps.

use seccomp_trace_bpf::fuzzing;
use seccomp_trace_core::{Comm, Event, is_unprintable};

/// A record is decoded or refused; what a traced thread calls itself is fit to be printed, and is read back.
pub fn target(data: &[u8]) -> bool {
    fuzzing::values(data);
    let Some(event) = super::understood(fuzzing::record(data)) else { return false };
    if let Event::NewSyscall { call, first, .. } = event {
        let text = first.comm.to_string();
        assert!(!text.contains(is_unprintable), "{text:?}");
        assert_eq!(Comm::parse(&text), Some(first.comm));
        assert!(!call.to_string().is_empty());
    }
    true
}
