//! What the programs of a live view write: records of calls, signals and ends.

use seccomp_trace_bpf::fuzzing;
use seccomp_trace_core::{Content, Event, is_unprintable};

/// A record is decoded or refused; a list is never larger than what it came from, and a name is fit to be printed.
pub fn target(data: &[u8]) -> bool {
    let Some(event) = super::understood(fuzzing::view(data)) else { return false };
    let Some(Event::Call(call)) = event else { return true };
    assert!(!call.comm.to_string().contains(is_unprintable));
    assert!(!call.syscall.to_string().is_empty());
    let bytes: usize = call.data.iter().map(|datum| size(&datum.content)).sum();
    assert!(bytes <= 2 * data.len() + 64, "{bytes} bytes of {}", data.len());
    true
}

fn size(content: &Content) -> usize {
    match content {
        Content::Bytes(bytes) | Content::Descriptor(bytes) => bytes.bytes.len(),
        Content::List { elements, .. } => elements.iter().map(|element| element.bytes.len()).sum(),
        _ => 0,
    }
}
