//! `socket` by address family, which systemd has a setting for.

use std::collections::BTreeSet;

use crate::{Operator, ResolvedRule, Verdict};

/// The families by number (`include/linux/socket.h`), from 1.
const FAMILIES: [&str; 45] = [
    "AF_UNIX",
    "AF_INET",
    "AF_AX25",
    "AF_IPX",
    "AF_APPLETALK",
    "AF_NETROM",
    "AF_BRIDGE",
    "AF_ATMPVC",
    "AF_X25",
    "AF_INET6",
    "AF_ROSE",
    "AF_DECnet",
    "AF_NETBEUI",
    "AF_SECURITY",
    "AF_KEY",
    "AF_NETLINK",
    "AF_PACKET",
    "AF_ASH",
    "AF_ECONET",
    "AF_ATMSVC",
    "AF_RDS",
    "AF_SNA",
    "AF_IRDA",
    "AF_PPPOX",
    "AF_WANPIPE",
    "AF_LLC",
    "AF_IB",
    "AF_MPLS",
    "AF_CAN",
    "AF_TIPC",
    "AF_BLUETOOTH",
    "AF_IUCV",
    "AF_RXRPC",
    "AF_ISDN",
    "AF_PHONET",
    "AF_IEEE802154",
    "AF_CAIF",
    "AF_ALG",
    "AF_NFC",
    "AF_VSOCK",
    "AF_KCM",
    "AF_QIPCRTR",
    "AF_SMC",
    "AF_XDP",
    "AF_MCTP",
];

/// The families that rules for `socket` allow, where they say nothing else.
pub(super) fn restricted(rules: &[&ResolvedRule<'_>]) -> Option<BTreeSet<&'static str>> {
    rules.iter().map(|rule| family(rule)).collect()
}

fn family(rule: &ResolvedRule<'_>) -> Option<&'static str> {
    let [arg] = rule.args else { return None };
    let by_family =
        arg.index().as_usize() == 0 && arg.op() == Operator::Equal && rule.verdict == Verdict::Allow;
    let number = usize::try_from(arg.value()).ok().filter(|_| by_family)?;
    FAMILIES.get(number.checked_sub(1)?).copied()
}
