//! The State of a container, and what its annotations ask for.

use seccomp_trace_core::Arch;

use super::understood;
use crate::allow::Allowed;
use crate::state;
use crate::wanted::Wanted;

/// Only what is a process of the host is taken for the container's; the first JSON value counts, whatever follows.
pub fn target(data: &[u8]) -> bool {
    // What runtimes and engines keep themselves of a container is JSON of the same words.
    if let Ok(text) = std::str::from_utf8(data) {
        seccomp_trace_bpf::fuzzing::container(text);
    }
    let Some(read) = understood(state::read(data)) else { return false };
    if let Some(init) = understood(read.init()) {
        assert!(init.0 > 1, "{init}");
    }
    let _ = (read.id(), read.bundle(), read.is_stopped());
    match Wanted::of(&read, &Allowed::new(Vec::new()), Arch::X86_64) {
        Ok(wanted) => assert!(wanted.files.output.is_absolute()),
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    }
    let followed = [data, b" {\"pid\": 1}"].concat();
    assert_eq!(state::read(&followed[..]).expect("its beginning was read before"), read);
    true
}
