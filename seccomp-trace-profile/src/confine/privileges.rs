//! Capabilities, and what guards the process once it has few of them.

use rustix::io::Errno;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::{ConfineError, Needs};

const SIGNALS: CapabilitySet = CapabilitySet::KILL;
const FILES: CapabilitySet =
    CapabilitySet::CHOWN.union(CapabilitySet::DAC_OVERRIDE).union(CapabilitySet::FOWNER);
const SHARED: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::SYS_ADMIN);

/// What maps may need to be read, least first: nothing since Linux 5.19.
const READING: [CapabilitySet; 3] = [CapabilitySet::empty(), CapabilitySet::BPF, CapabilitySet::SYS_ADMIN];

pub(super) fn give_up(needs: Needs, readable: impl Fn() -> bool) -> Result<(), ConfineError> {
    let first = [
        no_others_later(),
        keep(needs, readable),
        set_no_new_privs(true).map_err(failed("forgo privileges of programs")),
        set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(failed("forbid others to trace it")),
    ];
    first.into_iter().collect()
}

/// Empties the sets that programs get capabilities from.
fn no_others_later() -> Result<(), ConfineError> {
    let doing = "empty the bounding set";
    for bit in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit)) {
            Ok(()) => {}
            // The kernel knows no more; or it takes CAP_SETPCAP, without which there is none to gain for who may not
            // gain any by a program either.
            Err(Errno::INVAL | Errno::PERM) => break,
            Err(errno) => return Err(failed(doing)(errno)),
        }
    }
    clear_ambient_capability_set().map_err(failed("empty the ambient set"))
}

/// Leaves the calling thread what it needs, as far as it has it.
fn keep(needs: Needs, readable: impl Fn() -> bool) -> Result<(), ConfineError> {
    let doing = "give up capabilities";
    let had = capabilities(None).map_err(failed(doing))?;
    let mut wanted = CapabilitySet::empty();
    wanted.set(SIGNALS, needs.signals);
    wanted.set(FILES, needs.files);
    wanted.set(SHARED, needs.shared);
    for reading in READING {
        let kept = (wanted | reading) & had.permitted;
        let sets =
            |permitted| CapabilitySets { effective: kept, permitted, inheritable: CapabilitySet::empty() };
        set_capabilities(None, sets(had.permitted)).map_err(failed(doing))?;
        if readable() {
            return set_capabilities(None, sets(kept)).map_err(failed(doing));
        }
    }
    set_capabilities(None, had).map_err(failed(doing))?;
    Err(ConfineError::Unreadable)
}

fn failed(doing: &'static str) -> impl Fn(Errno) -> ConfineError {
    move |errno| ConfineError::System { doing, source: errno.into() }
}
