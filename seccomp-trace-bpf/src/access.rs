//! Whom one may attach to: whom one may trace with ptrace(2). A binary with file capabilities would else let anybody
//! watch anybody.
//!
//! The kernel itself is asked, so that its rule holds with everything that belongs to it: user ids, capabilities, user
//! namespaces, `dumpable`, Yama and other security modules. Facts only explain its answer.

use std::fs;
use std::io::IoSliceMut;

use nix::errno::Errno;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::unistd::Pid;
use seccomp_trace_core::Tgid;

use crate::probe::Facts;

/// Why one may not attach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// It is somebody else's.
    #[error("it runs as another user; run this as that user, or with CAP_SYS_PTRACE (root has it)")]
    OtherUser,
    /// Yama allows tracing children alone, or nothing.
    #[error(
        "kernel.yama.ptrace_scope is {0}, which allows nobody else to be traced; run this with CAP_SYS_PTRACE (root has \
         it), or start the program with `seccomp-trace run`"
    )]
    Yama(u8),
    /// The kernel protects it.
    #[error(
        "the kernel protects it (it has more privileges, or is not dumpable); run this with CAP_SYS_PTRACE (root has it)"
    )]
    Protected,
    /// It runs no program.
    #[error("it is a kernel thread, which makes no syscalls")]
    KernelThread,
    /// Whoever comes later cannot be asked about now.
    #[error("whoever enters it later may be anybody's; run this with CAP_SYS_PTRACE (root has it)")]
    Anybody,
}

/// What explains an answer of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AccessFacts {
    /// Our real user and group.
    ours: (u32, u32),
    /// Real, effective and saved user and group of the process; `None` where they cannot be read.
    theirs: Option<([u32; 3], [u32; 3])>,
    /// `kernel.yama.ptrace_scope`.
    yama: Option<u8>,
}

/// Asks the kernel whether this process might attach to `pid` with ptrace. Nothing happens to that process.
pub(crate) fn may_attach(pid: Tgid) -> Result<(), AccessError> {
    let Ok(raw) = i32::try_from(pid.0) else { return Ok(()) };
    // Address 0 is never there, but access is decided before that is found out.
    let mut byte = [0];
    let remote = [RemoteIoVec { base: 0, len: 1 }];
    match process_vm_readv(Pid::from_raw(raw), &mut [IoSliceMut::new(&mut byte)], &remote) {
        Err(Errno::EPERM) => Err(explain(&AccessFacts::read(pid))),
        // Built without this call: opening another's memory is decided by the same rule.
        Err(Errno::ENOSYS) => match fs::File::open(format!("/proc/{pid}/mem")) {
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                Err(explain(&AccessFacts::read(pid)))
            }
            _ => Ok(()),
        },
        // EFAULT: allowed. ESRCH: it is gone, which whoever attaches finds out.
        _ => Ok(()),
    }
}

/// Whether this process may attach to whoever comes.
pub(crate) fn may_attach_to_anybody() -> Result<(), AccessError> {
    if Facts::read().may_ptrace() { Ok(()) } else { Err(AccessError::Anybody) }
}

impl AccessFacts {
    fn read(pid: Tgid) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").ok();
        Self {
            ours: (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw()),
            theirs: ids(&status, "Uid:").zip(ids(&status, "Gid:")),
            yama: yama.and_then(|scope| scope.trim().parse().ok()),
        }
    }
}

/// The reason, after the kernel has said no: ptrace(2), "Ptrace access mode checking".
fn explain(facts: &AccessFacts) -> AccessError {
    let (uid, gid) = facts.ours;
    if facts.theirs.is_some_and(|(uids, gids)| uids != [uid; 3] || gids != [gid; 3]) {
        return AccessError::OtherUser;
    }
    match facts.yama {
        Some(scope) if scope > 0 => AccessError::Yama(scope),
        _ => AccessError::Protected,
    }
}

/// Real, effective and saved id of a line of `/proc/PID/status`.
fn ids(status: &str, key: &str) -> Option<[u32; 3]> {
    let mut numbers = status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace();
    let mut next = || numbers.next()?.parse().ok();
    Some([next()?, next()?, next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_what_forbids_it() {
        let same = Some(([1000; 3], [1000; 3]));
        let facts = |theirs, yama| AccessFacts { ours: (1000, 1000), theirs, yama };
        for (theirs, yama, expected) in [
            (Some(([0; 3], [0; 3])), Some(1), AccessError::OtherUser),
            // A set-user-ID program is another user's, as far as access goes.
            (Some(([1000, 0, 0], [1000; 3])), None, AccessError::OtherUser),
            (Some(([1000; 3], [1000, 50, 50])), None, AccessError::OtherUser),
            (same, Some(1), AccessError::Yama(1)),
            (same, Some(0), AccessError::Protected),
            (same, None, AccessError::Protected),
        ] {
            assert_eq!(explain(&facts(theirs, yama)), expected, "{theirs:?} {yama:?}");
        }
    }

    #[test]
    fn ids_are_read_from_the_kernels_file() {
        let status = "Name:\tUid: 7\nUid:\t1000\t0\t2\t3\nGid:\t5\t6\t7\t8\n";
        assert_eq!(ids(status, "Uid:"), Some([1000, 0, 2]));
        assert_eq!(ids(status, "Gid:"), Some([5, 6, 7]));
        assert_eq!(ids("Uid:\t1\t2\n", "Uid:"), None);
    }

    /// The kernel lets nobody attach to what is gone; that is told by whoever attaches, not here.
    #[test]
    fn oneself_may_be_attached_to_and_what_is_gone_is_not_forbidden() {
        assert_eq!(may_attach(Tgid(std::process::id())), Ok(()));
        assert_eq!(may_attach(Tgid(4_194_304)), Ok(()));
    }
}
