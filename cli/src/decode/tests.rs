//! Calls as they come from the kernel, by hand, against what strace 6.1 prints of them.

use std::time::Duration;

use seccomp_trace_core::{
    Arch, Bytes, Call, Comm, Content, Datum, Extent, Outcome, Syscall, Tgid, Tid, Timestamp,
};

use super::text::{self, Hex};
use super::value::Value;
use super::{Decoded, Decoder, Ended};

/// Data of an argument: its bytes, and whether these are all.
type Read<'a> = (u8, &'a [u8], Extent);

fn call(name: &str, args: &[u64], result: i64, reads: &[Read<'_>]) -> Call {
    let mut registers = [0; 6];
    registers[..args.len()].copy_from_slice(args);
    let content = |bytes: &[u8], extent| Content::Bytes(Bytes { bytes: bytes.to_vec(), extent });
    Call {
        syscall: Syscall::from_name(Arch::X86_64, name).unwrap(),
        pid: Tgid(7),
        tid: Tid(7),
        comm: Comm::parse("tracee").unwrap(),
        args: registers,
        entered: Timestamp::from_unix_nanos(0),
        outcome: Outcome::Returned { value: result, duration: Duration::ZERO },
        data: reads
            .iter()
            .map(|(arg, bytes, extent)| Datum { arg: *arg, content: content(bytes, *extent) })
            .collect(),
    }
}

/// The arguments as a line has them.
fn arguments(decoded: &Decoded) -> String {
    let mut out = String::new();
    for (index, argument) in decoded.arguments.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        text::push(&mut out, &argument.value, Hex::None);
    }
    out
}

fn shown(name: &str, args: &[u64], result: i64, reads: &[Read<'_>]) -> String {
    arguments(&Decoder::default().decode(&call(name, args, result, reads)))
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

const WHOLE: Extent = Extent::Whole;
const UNREADABLE: Extent = Extent::Unreadable;
const BAD_ADDRESS: i64 = -14;
const BAD_DESCRIPTOR: i64 = -9;

/// The number stands for the working directory only where a directory is wanted.
#[test]
fn only_a_directory_is_the_working_directory() {
    let minus_100 = 0xffff_ff9c;
    assert_eq!(shown("close", &[minus_100], BAD_DESCRIPTOR, &[]), "-100");
    assert_eq!(shown("dup2", &[minus_100, 3], BAD_DESCRIPTOR, &[]), "-100, 3");
    assert_eq!(shown("unlinkat", &[minus_100, 0, 0], BAD_ADDRESS, &[]), "AT_FDCWD, NULL, 0");
    let decoder = Decoder { descriptors: true, ..Decoder::default() };
    let with_target = |name, args: &[u64]| {
        let mut call = call(name, args, BAD_DESCRIPTOR, &[]);
        let target = Bytes { bytes: b"/root".to_vec(), extent: WHOLE };
        call.data.push(Datum { arg: 0, content: Content::Descriptor(target) });
        arguments(&decoder.decode(&call))
    };
    assert_eq!(with_target("close", &[minus_100]), "-100");
    assert_eq!(with_target("unlinkat", &[minus_100, 0, 0]), "AT_FDCWD</root>, NULL, 0");
}

/// The kernel refuses what has high bits, or takes them into account.
#[test]
fn numbers_of_a_whole_register_keep_their_high_bits() {
    let high = 1 << 40;
    for (name, args, expected) in [
        ("mprotect", &[0, 1, high][..], "NULL, 1, 0x10000000000 /* PROT_??? */"),
        ("mprotect", &[0, 1, high | 1], "NULL, 1, PROT_READ|0x10000000000"),
        ("mprotect", &[0, 1, 0], "NULL, 1, PROT_NONE"),
        ("pkey_mprotect", &[0, 1, high, u64::MAX], "NULL, 1, 0x10000000000 /* PROT_??? */, -1"),
        ("mmap", &[0, 1, high | 3, 2, 3], "NULL, 1, PROT_READ|PROT_WRITE|0x10000000000, MAP_PRIVATE, 3, 0"),
        ("mremap", &[0, 1, 1, high], "NULL, 1, 1, 0x10000000000 /* MREMAP_??? */"),
        ("mremap", &[0, 1, 1, high | 3], "NULL, 1, 1, MREMAP_MAYMOVE|MREMAP_FIXED|0x10000000000, NULL"),
        ("readv", &[0, 0, 1 << 31], "0, NULL, 2147483648"),
        ("writev", &[0, 0, 1 << 32], "0, NULL, 4294967296"),
        ("preadv", &[0, 0, u64::MAX], "0, NULL, 18446744073709551615, 0"),
        ("pwritev2", &[0, 0, 1 << 32], "0, NULL, 4294967296, 0, 0"),
    ] {
        assert_eq!(shown(name, args, -22, &[]), expected, "{name}");
    }
}

#[test]
fn times_of_files_that_are_none_have_names() {
    let times = |times: &[u64]| {
        let times = words(times);
        shown("utimensat", &[3, 0, 0x1000, 0], -2, &[(2, &times, WHOLE)])
    };
    assert_eq!(times(&[1, 0x3fff_ffff, 2, 0x3fff_fffe]), "3, NULL, [UTIME_NOW, UTIME_OMIT], 0");
    assert_eq!(times(&[1, 5, 2, 0x3fff_fffe]), "3, NULL, [{tv_sec=1, tv_nsec=5}, UTIME_OMIT], 0");
}

/// Alone among all calls it returns 32 bits of a negative number.
#[test]
fn modify_ldt_fails_with_an_errno() {
    let ended = |name, result| Decoder::default().decode(&call(name, &[99, 0, 0], result, &[])).ended;
    let Ended::Failed { raw, failure, .. } = ended("modify_ldt", 0xffff_ffda) else { panic!("it failed") };
    assert_eq!((raw, failure.name), (0xffff_ffda, Some("ENOSYS")));
    assert!(matches!(ended("modify_ldt", 16), Ended::Returned { .. }));
    assert!(matches!(ended("lseek", 0xffff_ffda), Ended::Returned { .. }));
}

#[test]
fn socket_options_of_an_unknown_layout_are_cut_as_buffers_are() {
    let decoder = Decoder { string_limit: 3, ..Decoder::default() };
    let shown = |level, name, bytes: &[u8]| {
        let call = call("setsockopt", &[3, level, name, 0x1000, 6], 0, &[(3, bytes, WHOLE); 3]);
        arguments(&decoder.decode(&call))
    };
    assert_eq!(shown(1, 99, b"abcdef"), r#"3, SOL_SOCKET, 0x63 /* SO_??? */, "abc"..., 6"#);
    assert_eq!(shown(1, 99, b"abc"), r#"3, SOL_SOCKET, 0x63 /* SO_??? */, "abc", 6"#);
    assert_eq!(shown(1, 2, &[1, 0, 0, 0]), "3, SOL_SOCKET, SO_REUSEADDR, [1], 6");
}

/// What a request on an interface asks is at its place once the call has returned.
#[test]
fn requests_on_interfaces_are_shown_with_their_answers() {
    let request = |rest: &[u8]| [b"lo\0\0\0\0\0\0\0\0\0\0\0\0\0\0", rest, &[0; 24]].concat()[..40].to_vec();
    let inet = [2, 0, 0, 0, 127, 0, 0, 1];
    for (number, rest, expected) in [
        (
            0x8913,
            &[0x49, 0][..],
            "SIOCGIFFLAGS, {ifr_name=\"lo\", ifr_flags=IFF_UP|IFF_LOOPBACK|IFF_RUNNING}",
        ),
        (0x8921, &[0, 0, 1, 0], "SIOCGIFMTU, {ifr_name=\"lo\", ifr_mtu=65536}"),
        (
            0x8915,
            &inet,
            "SIOCGIFADDR, {ifr_name=\"lo\", ifr_addr={sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr(\"127.0.0.1\")}}",
        ),
        (
            0x8927,
            &[4, 3, 1, 2, 3, 4, 5, 0xff],
            "SIOCGIFHWADDR, {ifr_name=\"lo\", ifr_hwaddr={sa_family=ARPHRD_LOOPBACK, sa_data=01:02:03:04:05:ff}}",
        ),
        (0x8933, &[7], "SIOCGIFINDEX, {ifr_name=\"lo\", ifr_ifindex=7}"),
        (0x8910, &[7], "SIOCGIFNAME, {ifr_ifindex=7, ifr_name=\"lo\"}"),
    ] {
        let decoder = Decoder { verbose: true, ..Decoder::default() };
        let (asked, found) = (request(b""), request(rest));
        let shown = |result, reads: &[Read<'_>]| {
            arguments(&decoder.decode(&call("ioctl", &[3, number, 0x1000], result, reads)))
        };
        assert_eq!(shown(0, &[(2, &asked, WHOLE), (2, &found, WHOLE)]), format!("3, {expected}"));
        let failed = shown(-19, &[(2, &asked, WHOLE)]);
        assert!(failed.ends_with("{ifr_name=\"lo\"}") || failed.ends_with("{ifr_ifindex=0}"), "{failed}");
    }
}

#[test]
fn values_in_structures_and_of_requests_have_names() {
    let bytes = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>();
    let owner = |ty| shown("fcntl", &[3, 15, 0x1000], 0, &[(2, &bytes(&[ty, 7])[..], WHOLE); 3]);
    assert_eq!(owner(1), "3, F_SETOWN_EX, {type=F_OWNER_PID, pid=7}");
    assert_eq!(owner(9), "3, F_SETOWN_EX, {type=0x9 /* F_OWNER_??? */, pid=7}");
    assert_eq!(shown("ioctl", &[3, 0x540b, 2], 0, &[]), "3, TCFLSH, TCIOFLUSH");
    assert_eq!(shown("ioctl", &[3, 0x540a, 1], 0, &[]), "3, TCXONC, TCOON");
    let attributes = shown("mq_getsetattr", &[3, 0x1000, 0], 0, &[(1, &words(&[0x800, 1, 2, 0]), WHOLE)]);
    assert_eq!(attributes, "3, {mq_flags=O_NONBLOCK, mq_maxmsg=1, mq_msgsize=2, mq_curmsgs=0}, NULL");
    let attributes = bytes(&[48, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let attributes = shown("sched_setattr", &[0, 0x1000, 0], 0, &[(1, &attributes, WHOLE)]);
    assert!(attributes.contains("SCHED_FLAG_RESET_ON_FORK|SCHED_FLAG_KEEP_POLICY,"), "{attributes}");
    let events = shown("epoll_ctl", &[3, 1, 4, 0x1000], 0, &[(3, &bytes(&[0x21, 0, 0]), WHOLE)]);
    assert!(events.contains("events=EPOLLIN|EPOLLNVAL,"), "{events}");
}

#[test]
fn what_membarrier_can_do_has_names() {
    let ended = |cmd| Decoder::default().decode(&call("membarrier", &[cmd, 0], 3, &[])).ended;
    let Ended::Returned { value, remark, .. } = ended(0) else { panic!("it did not fail") };
    let names = "MEMBARRIER_CMD_GLOBAL|MEMBARRIER_CMD_GLOBAL_EXPEDITED".to_owned();
    assert_eq!((value, remark), (Value::Hex(3), Some(names)));
    let Ended::Returned { value, remark, .. } = ended(1) else { panic!("it did not fail") };
    assert_eq!((value, remark), (Value::Signed(3), None));
}

/// As an empty list or text it would be mistaken for what the caller passed.
#[test]
fn what_nothing_could_be_read_of_is_an_address() {
    let vectors = |name, result| {
        let mut call = call(name, &[1, 8, 2], result, &[(1, b"", UNREADABLE)]);
        let content = Content::List { elements: Vec::new(), extent: UNREADABLE };
        call.data.push(Datum { arg: 1, content });
        arguments(&Decoder::default().decode(&call))
    };
    assert_eq!(vectors("writev", BAD_ADDRESS), "1, 0x8, 2");
    assert_eq!(vectors("writev", BAD_DESCRIPTOR), "1, 0x8 /* unreadable */, 2");
    assert_eq!(vectors("vmsplice", BAD_ADDRESS), "1, 0x8, 2, 0");
    assert_eq!(shown("readv", &[1, 8, 2], BAD_ADDRESS, &[(1, b"", UNREADABLE)]), "1, 0x8, 2");
    assert_eq!(shown("select", &[3, 8], BAD_ADDRESS, &[(1, b"", UNREADABLE)]), "3, 0x8, NULL, NULL, NULL");
    assert_eq!(shown("sched_setaffinity", &[0, 8, 8], BAD_ADDRESS, &[(2, b"", UNREADABLE)]), "0, 8, 0x8");
    for level in [0, 1, 99] {
        // The forms of the call read in three ways.
        let option = shown("setsockopt", &[3, level, 2, 8, 4], BAD_ADDRESS, &[(3, &b""[..], UNREADABLE); 3]);
        assert!(option.ends_with(", 0x8, 4"), "{option}");
    }
}

/// Where nothing is asked for, nothing is missing.
#[test]
fn what_is_empty_is_not_unreadable() {
    assert_eq!(shown("readv", &[1, 8, 0], 0, &[(1, b"", WHOLE)]), "1, [], 0");
    assert_eq!(shown("select", &[0, 8], 0, &[(1, b"", UNREADABLE)]), "0, [], NULL, NULL, NULL");
    assert_eq!(shown("sched_setaffinity", &[0, 0, 8], 0, &[(2, b"", WHOLE)]), "0, 0, []");
}

#[test]
fn what_only_a_part_could_be_read_of_says_so() {
    let half = words(&[5, 4]);
    assert_eq!(
        shown("readv", &[0, 0x1000, 2], BAD_ADDRESS, &[(1, &half, UNREADABLE)]),
        "0, [{iov_base=0x5, iov_len=4}, ...], 2"
    );
    let sets = [([5, 0, 0, 0, 0, 0, 0, 0], "[0 2 ...]"), ([0; 8], "[...]")];
    for (bytes, expected) in sets {
        assert_eq!(
            shown("sched_setaffinity", &[0, 128, 0x1000], BAD_ADDRESS, &[(2, &bytes, UNREADABLE)]),
            format!("0, 128, {expected}")
        );
        assert_eq!(
            shown("select", &[200, 0x1000], BAD_ADDRESS, &[(1, &bytes, UNREADABLE)]),
            format!("200, {expected}, NULL, NULL, NULL")
        );
    }
    assert_eq!(
        shown("select", &[64, 0x1000], 0, &[(1, &sets[0].0, UNREADABLE)]),
        "64, [0 2], NULL, NULL, NULL",
        "no more was asked for"
    );
    assert_eq!(
        shown("setsockopt", &[3, 1, 2, 0x1000, 4], -1, &[(3, &b"zz"[..], UNREADABLE); 3]),
        r#"3, SOL_SOCKET, SO_REUSEADDR, 0x1000 /* unreadable after "zz" */, 4"#
    );
    assert_eq!(
        shown("bind", &[3, 0x1000, 16], BAD_ADDRESS, &[(1, b"\x02\0\0\x50", UNREADABLE)]),
        r#"3, {sa_family=AF_INET, sa_data="\0P", ...}, 16"#
    );
    assert_eq!(
        shown("nanosleep", &[0x1000, 0], BAD_ADDRESS, &[(0, &words(&[1]), UNREADABLE)]),
        "{tv_sec=1, ...}, NULL"
    );
    assert_eq!(
        shown("openat2", &[3, 0, 0x1000, 16], -22, &[(2, &words(&[0, 0]), WHOLE)]),
        "3, NULL, {flags=O_RDONLY}, 16",
        "the caller has no more"
    );
}
