//! Reading and writing the values that the BPF programs share. Sizes, offsets and constants come from the
//! types that libbpf-cargo generates from the compiled object, so this cannot drift from `record.h`.

use std::mem::{offset_of, size_of};

use seccomp_trace_core::{Arch, Captures, Comm, Phase};

use crate::skel::recorder::types;

/// Numbers below this have a byte in a row.
pub(crate) const NR_MAX: usize = size_of::<types::seen_row>();
/// Size of a record in such a row.
pub(crate) const FIRST_SEEN: usize = size_of::<types::first_seen>();
/// Rows of one slot: phases x ABIs.
pub(crate) const ROWS: u32 = types::phase::PHASES.0 * types::abi::ABIS.0;
/// The ABIs that a row can be of, in the order of `enum abi`.
pub(crate) const ABIS: u32 = types::abi::ABIS.0;

/// The number of a phase in `enum phase`.
pub(crate) fn phase_number(phase: Phase) -> u32 {
    match phase {
        Phase::Setup => types::phase::PHASE_SETUP.0,
        Phase::RuntimeInit => types::phase::PHASE_RUNTIME_INIT.0,
        _ => types::phase::PHASE_WORKLOAD.0,
    }
}

/// The phase that a number of `enum phase` means.
pub(crate) fn phase_of(number: u32) -> Option<Phase> {
    Phase::ALL.into_iter().find(|phase| phase_number(*phase) == number)
}

/// The ABI that a number of `enum abi` means on this machine.
pub(crate) fn arch_of(abi: u32) -> Option<Arch> {
    let native = Arch::native()?;
    match (types::abi(abi), native) {
        (types::abi::ABI_NATIVE, native) => Some(native),
        (types::abi::ABI_COMPAT, Arch::X86_64) => Some(Arch::X86),
        (types::abi::ABI_COMPAT, Arch::Aarch64) => Some(Arch::Arm),
        (types::abi::ABI_X32, Arch::X86_64) => Some(Arch::X32),
        _ => None,
    }
}

/// The index of a row in the `seen`, `first` and `counts` maps.
pub(crate) fn row(slot: u32, phase: u32, abi: u32) -> u32 {
    (slot * types::phase::PHASES.0 + phase) * ABIS + abi
}

/// Whether a key of the `odd` or `values` map, which begin with a row, belongs to a slot.
pub(crate) fn is_of_slot(key: &[u8], slot: u16) -> bool {
    u32_at(key, 0).is_some_and(|row| row / ROWS == u32::from(slot))
}

/// Whether a byte of a row says that the call was made.
pub(crate) fn was_seen(byte: u8) -> bool {
    u32::from(byte) & types::seen_flags::SEEN.0 != 0
}

/// The rows of one ABI before anything was seen: which calls come to the capture, and which argument of them.
pub(crate) fn capture_rows(abi: u32, captures: &Captures) -> (Vec<u8>, Vec<u8>) {
    let (mut seen, mut config) = (vec![0; NR_MAX], vec![0; size_of::<types::capture_row>()]);
    for (call, index) in captures.iter().filter(|(call, _)| arch_of(abi) == Some(call.arch)) {
        let Some(nr) = usize::try_from(call.nr.0).ok().filter(|nr| *nr < NR_MAX) else { continue };
        seen[nr] = lowest_byte(types::seen_flags::SEEN_CAPTURES.0);
        config[offset_of!(types::capture_row, arg) + nr] = index + 1;
    }
    (seen, config)
}

/// A `u32` field; `None` where the value is too short.
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

/// A `u64` field; `None` where the value is too short.
pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(offset..offset + 8)?.try_into().ok()?))
}

/// Who made a call first, times in nanoseconds of `CLOCK_BOOTTIME`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Who {
    pub(crate) time_ns: u64,
    pub(crate) tgid: u32,
    pub(crate) tid: u32,
    pub(crate) comm: Comm,
}

/// Decodes a `struct first_seen`. `None`: too short, or not written yet.
pub(crate) fn who(bytes: &[u8]) -> Option<Who> {
    let comm = offset_of!(types::first_seen, comm);
    let decoded = Who {
        time_ns: u64_at(bytes, offset_of!(types::first_seen, time_ns))?,
        tgid: u32_at(bytes, offset_of!(types::first_seen, tgid))?,
        tid: u32_at(bytes, offset_of!(types::first_seen, tid))?,
        comm: Comm::from_kernel(bytes.get(comm..comm + 16)?.try_into().ok()?),
    };
    // The process id is written after the time has been claimed: without it the record is half done.
    (decoded.time_ns != 0 && decoded.tgid != 0).then_some(decoded)
}

/// The counters of a `struct target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TargetCounters {
    pub(crate) generation: u32,
    pub(crate) live: u64,
    pub(crate) processes: u64,
    pub(crate) storage_failures: u64,
    pub(crate) number_overflow: u64,
    pub(crate) events_lost: u64,
    /// When the workload began; 0: it has not.
    pub(crate) exec_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) unseeded: u64,
    /// How often the other threads of a process that was moved into the target's cgroup have to be looked for.
    pub(crate) moved: u64,
}

/// Decodes a `struct target`; `None` where it is too short.
pub(crate) fn target(bytes: &[u8]) -> Option<TargetCounters> {
    Some(TargetCounters {
        generation: u32_at(bytes, offset_of!(types::target, generation))?,
        live: u64_at(bytes, offset_of!(types::target, live))?,
        processes: u64_at(bytes, offset_of!(types::target, processes))?,
        storage_failures: u64_at(bytes, offset_of!(types::target, storage_failures))?,
        number_overflow: u64_at(bytes, offset_of!(types::target, number_overflow))?,
        events_lost: u64_at(bytes, offset_of!(types::target, events_lost))?,
        exec_ns: u64_at(bytes, offset_of!(types::target, exec_ns))?,
        ended_ns: u64_at(bytes, offset_of!(types::target, ended_ns))?,
        unseeded: u64_at(bytes, offset_of!(types::target, unseeded))?,
        moved: u64_at(bytes, offset_of!(types::target, moved))?,
    })
}

/// What a fresh `struct target` begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NewTarget {
    pub(crate) events: bool,
    /// Whether a cgroup tells its members.
    pub(crate) by_cgroup: bool,
    /// Its live tasks, and so its processes.
    pub(crate) tasks: u64,
}

/// A fresh `struct target`, for a target that is about to be armed.
pub(crate) fn new_target(generation: u32, new: NewTarget) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<types::target>()];
    let flags = [
        (new.events, types::target_flags::TARGET_EVENTS.0),
        (new.by_cgroup, types::target_flags::TARGET_CGROUP.0),
    ];
    let flags = flags.into_iter().filter(|(on, _)| *on).fold(0, |all, (_, flag)| all | flag);
    put(&mut bytes, offset_of!(types::target, generation), &generation.to_ne_bytes());
    put(&mut bytes, offset_of!(types::target, flags), &flags.to_ne_bytes());
    put(&mut bytes, offset_of!(types::target, live), &new.tasks.to_ne_bytes());
    put(&mut bytes, offset_of!(types::target, processes), &new.tasks.to_ne_bytes());
    bytes
}

/// The `struct member` of a target's first process.
pub(crate) fn first_member(slot: u16, generation: u32, phase: Phase) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<types::member>()];
    let number = phase_number(phase);
    let first_row = row(u32::from(slot), number, types::abi::ABI_NATIVE.0);
    put(&mut bytes, offset_of!(types::member, row), &first_row.to_ne_bytes());
    put(&mut bytes, offset_of!(types::member, generation), &generation.to_ne_bytes());
    put(&mut bytes, offset_of!(types::member, slot), &slot.to_ne_bytes());
    put(&mut bytes, offset_of!(types::member, phase), &[lowest_byte(number)]);
    let mut flags = types::member_flags::MEMBER_INIT.0;
    if phase == Phase::Workload {
        // It runs already.
        flags |= types::member_flags::MEMBER_INSIDE.0;
    }
    put(&mut bytes, offset_of!(types::member, flags), &[lowest_byte(flags)]);
    bytes
}

/// A way into a container for processes that were started outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// By the cgroup with this id in the v2 hierarchy.
    Cgroup2(u64),
    /// By the cgroup with this id in v1's pids hierarchy.
    Pids(u64),
    /// By the mount namespace with this inode number; `by_filter` where the container has no cgroup of its own.
    MountNs { inode: u64, by_filter: bool },
    /// By being in the cgroup that is the target, of the hierarchy that the other two are of.
    Whole { cgroup: CgroupId },
}

/// A cgroup, by its hierarchy and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CgroupId {
    V2(u64),
    /// In the v1 hierarchy of the pids controller.
    Pids(u64),
}

/// Entrances that a container can have: its v2 cgroup, that one's parent, its pids cgroup, its mount namespace.
pub(crate) const ENTRANCES: u32 = 4;

/// The key and the value of an entrance.
pub(crate) fn entrance(slot: u16, generation: u32, entrance: Entrance) -> (Vec<u8>, Vec<u8>) {
    let (mut key, mut value) =
        (vec![0; size_of::<types::entrance_key>()], vec![0; size_of::<types::entrance>()]);
    let (kind, id) = match entrance {
        Entrance::Cgroup2(id) | Entrance::Whole { cgroup: CgroupId::V2(id) } => {
            (types::entrance_kind::ENTRANCE_CGROUP2, id)
        }
        Entrance::Pids(id) | Entrance::Whole { cgroup: CgroupId::Pids(id) } => {
            (types::entrance_kind::ENTRANCE_PIDS, id)
        }
        Entrance::MountNs { inode, .. } => (types::entrance_kind::ENTRANCE_MOUNT_NS, inode),
    };
    let by_filter = matches!(entrance, Entrance::MountNs { by_filter: true, .. });
    let whole = matches!(entrance, Entrance::Whole { .. });
    put(&mut key, offset_of!(types::entrance_key, id), &id.to_ne_bytes());
    put(&mut key, offset_of!(types::entrance_key, kind), &kind.0.to_ne_bytes());
    put(&mut value, offset_of!(types::entrance, slot), &u32::from(slot).to_ne_bytes());
    put(&mut value, offset_of!(types::entrance, generation), &generation.to_ne_bytes());
    put(&mut value, offset_of!(types::entrance, by_filter), &u32::from(by_filter).to_ne_bytes());
    put(&mut value, offset_of!(types::entrance, whole), &u32::from(whole).to_ne_bytes());
    (key, value)
}

/// Whose member a `struct member` is: slot and generation.
pub(crate) fn member_of(bytes: &[u8]) -> Option<(u16, u32)> {
    let slot = offset_of!(types::member, slot);
    let slot = u16::from_ne_bytes(bytes.get(slot..slot + 2)?.try_into().ok()?);
    Some((slot, u32_at(bytes, offset_of!(types::member, generation))?))
}

/// The slot that the value of an entrance leads to.
pub(crate) fn entrance_slot(value: &[u8]) -> Option<u32> {
    u32_at(value, offset_of!(types::entrance, slot))
}

/// Where a container's init is, in the kernel's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// Its process id in the initial pid namespace; 0: the walk did not meet it.
    pub(crate) leader: u64,
    pub(crate) mount_ns: u64,
    pub(crate) cgroup2: u64,
    pub(crate) cgroup2_parent: u64,
    /// 0 where no v1 hierarchy has the pids controller.
    pub(crate) pids_cgroup: u64,
}

/// What a walk over all tasks found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pass {
    pub(crate) added: u64,
    pub(crate) failed: u64,
    /// Tasks that changed their parent meanwhile.
    pub(crate) moving: u64,
    pub(crate) alive: u64,
    pub(crate) evicted: u64,
    pub(crate) place: Place,
}

/// What a walk is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct NewPass {
    /// The target has a mount namespace of its own, and phases.
    pub(crate) container: bool,
    /// The target runs: what its tasks are in the middle of counts.
    pub(crate) running: bool,
    /// The first pass.
    pub(crate) opening: bool,
    /// Cgroups tell members too.
    pub(crate) by_cgroup: bool,
}

/// The `struct seed_pass` that a walk begins with.
pub(crate) fn new_pass(slot: u16, generation: u32, new: NewPass) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<types::seed_pass>()];
    put(&mut bytes, offset_of!(types::seed_pass, slot), &u32::from(slot).to_ne_bytes());
    put(&mut bytes, offset_of!(types::seed_pass, generation), &generation.to_ne_bytes());
    for (offset, on) in [
        (offset_of!(types::seed_pass, container), new.container),
        (offset_of!(types::seed_pass, running), new.running),
        (offset_of!(types::seed_pass, opening), new.opening),
        (offset_of!(types::seed_pass, by_cgroup), new.by_cgroup),
    ] {
        put(&mut bytes, offset, &u32::from(on).to_ne_bytes());
    }
    bytes
}

/// Decodes a `struct seed_pass`; `None` where it is too short.
pub(crate) fn pass(bytes: &[u8]) -> Option<Pass> {
    Some(Pass {
        added: u64_at(bytes, offset_of!(types::seed_pass, added))?,
        failed: u64_at(bytes, offset_of!(types::seed_pass, failed))?,
        moving: u64_at(bytes, offset_of!(types::seed_pass, moving))?,
        alive: u64_at(bytes, offset_of!(types::seed_pass, alive))?,
        evicted: u64_at(bytes, offset_of!(types::seed_pass, evicted))?,
        place: Place {
            leader: u64_at(bytes, offset_of!(types::seed_pass, leader))?,
            mount_ns: u64_at(bytes, offset_of!(types::seed_pass, mount_ns))?,
            cgroup2: u64_at(bytes, offset_of!(types::seed_pass, cgroup2))?,
            cgroup2_parent: u64_at(bytes, offset_of!(types::seed_pass, cgroup2_parent))?,
            pids_cgroup: u64_at(bytes, offset_of!(types::seed_pass, pids_cgroup))?,
        },
    })
}

/// A constant that C keeps in a byte.
pub(crate) const fn lowest_byte(constant: u32) -> u8 {
    constant.to_le_bytes()[0]
}

/// Writes a field.
pub(crate) fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_and_half_written_records_are_nobody() {
        let mut bytes = vec![0; FIRST_SEEN];
        assert_eq!(who(&bytes), None, "never written");
        put(&mut bytes, offset_of!(types::first_seen, time_ns), &7u64.to_ne_bytes());
        assert_eq!(who(&bytes), None, "claimed, not yet filled");
        put(&mut bytes, offset_of!(types::first_seen, tgid), &5u32.to_ne_bytes());
        assert_eq!(who(&bytes).unwrap().tgid, 5);
        for len in 0..FIRST_SEEN {
            assert_eq!(who(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn rows_of_two_slots_do_not_overlap() {
        let mut seen = std::collections::BTreeSet::new();
        for slot in 0..3 {
            for phase in Phase::ALL {
                for abi in 0..ABIS {
                    assert!(seen.insert(row(slot, phase_number(phase), abi)));
                }
            }
        }
        assert_eq!(seen.len(), 3 * ROWS as usize);
        assert_eq!(seen.last().copied(), Some(3 * ROWS - 1));
    }

    #[test]
    fn a_new_target_reads_back_as_one_live_process() {
        let new = NewTarget { events: true, by_cgroup: false, tasks: 1 };
        let counters = target(&new_target(3, new)).unwrap();
        let expected = TargetCounters { generation: 3, live: 1, processes: 1, ..TargetCounters::default() };
        assert_eq!(counters, expected);
        assert_eq!(target(&[0; 8]), None);
    }
}
