//! i386's `socketcall` and `ipc`: libseccomp makes a rule for `socket` one for the direct call, where there is one,
//! and one for `socketcall` whose first argument says which call it is, in place of the rule's own first condition.
//!
//! Source: libseccomp 2.5, `src/syscalls.c` (`abi_rule_add`); the numbers are those of `include/uapi/linux/net.h`
//! and `include/uapi/linux/ipc.h`.

use seccomp_trace_core::{Arch, Syscall};

const SOCKETCALL: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];

const IPC: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

/// The names of the calls that hold others.
pub(crate) const HOLDERS: [&str; 2] = ["socketcall", "ipc"];

/// The calls that a holder holds, with the value of its first argument; none for other calls.
pub(crate) fn held(holder: &str) -> Vec<(&'static str, u64)> {
    match holder {
        "socketcall" => SOCKETCALL.into_iter().zip(1..).collect(),
        "ipc" => IPC.to_vec(),
        _ => Vec::new(),
    }
}

/// The call that `name` is multiplexed by, and the value of its first argument.
pub(crate) fn multiplexed(arch: Arch, name: &str) -> Option<(Syscall, u64)> {
    if arch != Arch::X86 {
        return None;
    }
    HOLDERS.into_iter().find_map(|holder| {
        let (_, code) = held(holder).into_iter().find(|(known, _)| *known == name)?;
        Syscall::from_name(arch, holder).map(|call| (call, code))
    })
}
