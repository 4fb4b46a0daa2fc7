//! Names of values that arguments have, for comments. The values are libc's.

use nix::libc;

macro_rules! table {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as u64)),*] };
}

/// `socket(2)`, address families.
const FAMILIES: &[(&str, u64)] = table! {
    AF_UNSPEC AF_UNIX AF_INET AF_AX25 AF_IPX AF_APPLETALK AF_NETROM AF_BRIDGE AF_ATMPVC AF_X25 AF_INET6 AF_ROSE
    AF_DECnet AF_NETBEUI AF_SECURITY AF_KEY AF_NETLINK AF_PACKET AF_ASH AF_ECONET AF_ATMSVC AF_RDS AF_SNA AF_IRDA
    AF_PPPOX AF_WANPIPE AF_LLC AF_IB AF_MPLS AF_CAN AF_TIPC AF_BLUETOOTH AF_IUCV AF_RXRPC AF_ISDN AF_PHONET
    AF_IEEE802154 AF_CAIF AF_ALG AF_NFC AF_VSOCK AF_XDP
};

/// `unshare(2)`, `setns(2)`: namespaces.
const NAMESPACES: &[(&str, u64)] = table! {
    CLONE_NEWNS CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET
};

/// `prctl(2)`, the operations that programs use most.
const OPERATIONS: &[(&str, u64)] = table! {
    PR_SET_PDEATHSIG PR_GET_PDEATHSIG PR_GET_DUMPABLE PR_SET_DUMPABLE PR_GET_KEEPCAPS PR_SET_KEEPCAPS PR_SET_NAME
    PR_GET_NAME PR_GET_SECCOMP PR_SET_SECCOMP PR_CAPBSET_READ PR_CAPBSET_DROP PR_GET_SECUREBITS PR_SET_SECUREBITS
    PR_SET_TIMERSLACK PR_GET_TIMERSLACK PR_SET_MM PR_SET_PTRACER PR_SET_CHILD_SUBREAPER PR_GET_CHILD_SUBREAPER
    PR_SET_NO_NEW_PRIVS PR_GET_NO_NEW_PRIVS PR_CAP_AMBIENT PR_SET_VMA
};

/// The constant, or the sum of flags, that `value` is as the captured argument of a call; `None` where it is neither.
pub(crate) fn constant(call: &str, value: u64) -> Option<String> {
    let one = |table: &[(&str, u64)]| {
        table.iter().find(|(_, known)| *known == value).map(|(name, _)| (*name).to_owned())
    };
    match call {
        "socket" | "socketpair" => one(FAMILIES),
        "prctl" => one(OPERATIONS),
        "unshare" | "setns" => flags(NAMESPACES, value),
        _ => None,
    }
}

fn flags(table: &[(&str, u64)], value: u64) -> Option<String> {
    let set: Vec<_> = table.iter().filter(|(_, flag)| value & flag == *flag).collect();
    let all = set.iter().fold(0, |all, (_, flag)| all | flag);
    (all == value && value != 0).then(|| set.iter().map(|(name, _)| *name).collect::<Vec<_>>().join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_names_of_the_manual_pages() {
        assert_eq!(constant("socket", 2).as_deref(), Some("AF_INET"));
        assert_eq!(constant("socket", 38).as_deref(), Some("AF_ALG"));
        assert_eq!(constant("unshare", 0x2002_0000).as_deref(), Some("CLONE_NEWNS|CLONE_NEWPID"));
        assert_eq!(constant("prctl", 38).as_deref(), Some("PR_SET_NO_NEW_PRIVS"));
        assert_eq!(constant("socket", 9999), None);
        assert_eq!(constant("unshare", 1), None, "not a flag of unshare's");
    }
}
