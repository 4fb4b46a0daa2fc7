//! Events of every kind against the lines that they are printed as, in text and in JSON: `golden/`.

use std::time::Duration;

use seccomp_trace_core::{
    Arch, Bytes, Call, Comm, Content, Datum, Event, Exited, Extent, Outcome, Refused, Signal, Sink, Syscall,
    Tgid, Tid, Timestamp,
};

use super::clock::{Clock, Stamp};
use super::destination::Destination;
use super::expression::Filter;
use super::paths::Paths;
use super::printer::{Choice, Printer};
use super::style::Style;

const START: u64 = 1_700_000_000_000_000_000;

fn at(micros: u64) -> Timestamp {
    Timestamp::from_unix_nanos(START + micros * 1000)
}

fn returned(value: i64) -> Outcome {
    Outcome::Returned { value, duration: Duration::from_micros(17) }
}

fn call(name: &str, args: &[u64], outcome: Outcome, data: Vec<(u8, Content)>) -> Event {
    of(Arch::X86_64, (7, 7), name, args, outcome, data)
}

fn of(
    arch: Arch,
    (pid, tid): (u32, u32),
    name: &str,
    args: &[u64],
    outcome: Outcome,
    data: Vec<(u8, Content)>,
) -> Event {
    let mut registers = [0xdead; 6];
    registers[..args.len()].copy_from_slice(args);
    Event::Call(Box::new(Call {
        syscall: Syscall::from_name(arch, name).unwrap(),
        pid: Tgid(pid),
        tid: Tid(tid),
        comm: Comm::parse("tracee").unwrap(),
        args: registers,
        entered: at(u64::from(tid)),
        outcome,
        data: data.into_iter().map(|(arg, content)| Datum { arg, content }).collect(),
    }))
}

fn bytes(bytes: &[u8]) -> Content {
    cut(bytes, Extent::Whole)
}

fn cut(bytes: &[u8], extent: Extent) -> Content {
    Content::Bytes(Bytes { bytes: bytes.to_vec(), extent })
}

fn list(elements: &[&str]) -> Content {
    let element = |text: &&str| Bytes { bytes: text.as_bytes().to_vec(), extent: Extent::Whole };
    Content::List { elements: elements.iter().map(element).collect(), extent: Extent::Whole }
}

fn words(words: &[u64]) -> Content {
    bytes(&words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<_>>())
}

fn events() -> Vec<Event> {
    let cwd = 0xffff_ff9c;
    let path = |text: &[u8]| bytes(text);
    let asked = bytes(&[3, 0, 0, 0, 1, 0, 0, 0]);
    let signal = |number, code| Signal {
        pid: Tgid(7),
        tid: Tid(7),
        time: at(30),
        number,
        code,
        errno: 0,
        sender: None,
        status: None,
        address: None,
        timer: None,
        value: None,
        refused: None,
    };
    let refused = Refused { address: 0x1000, number: 102, arch: Arch::X86_64.audit() };
    vec![
        call(
            "execve",
            &[0x1000, 0x2000, 0x3000],
            returned(0),
            vec![(0, path(b"/bin/ls")), (1, list(&["ls", "-l"])), (2, words(&[1, 2, 0, 3]))],
        ),
        call("brk", &[0], returned(0x5555_0000), vec![]),
        call("openat", &[cwd, 0x1000, 0x80241, 0o644], returned(3), vec![(1, path(b"/tmp/\x1b[31m\xff\"x"))]),
        call("openat", &[cwd, 0x1000, 0], returned(-2), vec![(1, path(b"/missing"))]),
        call("openat", &[cwd, 0x10, 0], returned(-14), vec![(1, cut(b"", Extent::Unreadable))]),
        call("mkdirat", &[cwd, 0x1000, 0o700], returned(0), vec![(1, cut(b"abc", Extent::Unreadable))]),
        call("read", &[3, 0x4000, 832], returned(832), vec![(1, cut(b"\x7fELF\x02\x01", Extent::Cut))]),
        call("read", &[3, 0x4000, 832], returned(-11), vec![]),
        call(
            "writev",
            &[1, 0x5000, 2],
            returned(8),
            vec![(1, words(&[0x6000, 5, 0x7000, 3])), (1, list(&["hello", "abc"]))],
        ),
        call("mmap", &[0, 8192, 3, 0x22, u64::MAX, 0], returned(0x7f00_0000), vec![]),
        call("pipe2", &[0x4000, 0x80000], returned(0), vec![(0, bytes(&[3, 0, 0, 0, 4, 0, 0, 0]))]),
        call(
            "accept4",
            &[3, 0x4000, 0x5000, 0x80000],
            returned(5),
            vec![
                (2, bytes(&[128, 0, 0, 0])),
                (1, bytes(&[2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])),
                (2, bytes(&[16, 0, 0, 0])),
            ],
        ),
        call("connect", &[3, 0x4000, 11], returned(-2), vec![(1, bytes(b"\x01\0/run/sock"))]),
        call(
            "poll",
            &[0x4000, 1, 1000],
            returned(1),
            vec![(0, bytes(&[3, 0, 0, 0, 1, 0, 0, 0])), (0, bytes(&[3, 0, 0, 0, 1, 0, 1, 0]))],
        ),
        call("wait4", &[u64::MAX, 0x4000, 0, 0], returned(8), vec![(1, bytes(&[0, 3, 0, 0]))]),
        call(
            "rt_sigaction",
            &[2, 0x4000, 0, 8],
            returned(0),
            vec![(1, words(&[0x1234, 0x1400_0000, 0x5678, 1 << 14]))],
        ),
        call("kill", &[8, 15], returned(0), vec![]),
        call("fcntl", &[3, 3], returned(0x8002), vec![]),
        call("futex", &[0x4000, 129, 1], returned(1), vec![]),
        call("prctl", &[38, 1, 0, 0, 0], returned(0), vec![]),
        call("unshare", &[0x1002_0000], returned(-1), vec![]),
        call("clone", &[0x120_0011, 0, 0, 0x7000, 0], returned(8), vec![]),
        of(
            Arch::X86,
            (8, 8),
            "_llseek",
            &[3, 1, 2, 0x4000, 0],
            returned(0),
            vec![(3, words(&[0x1_0000_0002]))],
        ),
        of(Arch::X86_64, (8, 8), "read", &[0, 0x4000, 10], Outcome::Pending, vec![]),
        call("getppid", &[], Outcome::Skipped { value: -1 }, vec![]),
        of(Arch::X86_64, (8, 8), "read", &[0, 0x4000, 10], returned(1), vec![(1, bytes(b"\n"))]),
        of(Arch::X86_64, (8, 8), "nanosleep", &[0x4000, 0], returned(-516), vec![(0, words(&[1, 0]))]),
        of(Arch::X86_64, (8, 8), "restart_syscall", &[], returned(0), vec![]),
        Event::Signal(Signal { sender: Some((8, 0)), ..signal(10, 0) }),
        Event::Signal(Signal { sender: Some((8, 0)), status: Some(9), ..signal(17, 2) }),
        Event::Signal(Signal { address: Some(0), ..signal(11, 1) }),
        Event::Signal(Signal { sender: Some((8, 0)), value: Some(7), ..signal(35, -1) }),
        Event::Signal(Signal { errno: 7, refused: Some(refused), ..signal(31, 1) }),
        Event::Signal(Signal { timer: Some((0, 0)), value: Some(0), ..signal(14, -2) }),
        of(Arch::X86_64, (8, 8), "read", &[0, 0x4000, 10], Outcome::Pending, vec![]),
        of(Arch::X86_64, (8, 8), "read", &[0, 0x4000, 10], Outcome::Never, vec![]),
        of(Arch::X86_64, (8, 8), "poll", &[0x4000, 1, 1000], Outcome::Pending, vec![(0, asked.clone())]),
        of(
            Arch::X86_64,
            (8, 8),
            "poll",
            &[0x4000, 1, 1000],
            returned(0),
            vec![(0, asked.clone()), (0, asked)],
        ),
        of(
            Arch::X86_64,
            (8, 8),
            "pselect6",
            &[4, 0x4000, 0, 0, 0x5000, 0],
            Outcome::Never,
            vec![(1, words(&[8])), (4, words(&[1, 0]))],
        ),
        Event::Exited(Exited { pid: Tgid(8), tid: Tid(8), time: at(40), status: 9, superseded_by: None }),
        call("exit_group", &[0], Outcome::Never, vec![]),
        Event::Exited(Exited { pid: Tgid(7), tid: Tid(7), time: at(50), status: 0, superseded_by: None }),
    ]
}

fn printed(json: bool, clock: Clock, durations: bool) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let filter = Filter { quiet_attach: true, ..Filter::default() };
    let choice = Choice { filter, paths: Paths::default(), descriptors: false, json };
    let style = Style { column: 40, durations, ..Style::default() };
    let destination = Destination::open(Some(&file), false).unwrap();
    let mut printer = Printer::new(choice, style, clock, destination);
    for event in events() {
        assert_eq!(printer.event(&event), seccomp_trace_core::Flow::Continue);
    }
    printer.lost(3);
    let (lost, written) = printer.finish();
    written.unwrap();
    assert_eq!(lost, 3);
    std::fs::read_to_string(file).unwrap()
}

/// Compares with a file of this folder; `SECCOMP_TRACE_BLESS=1` writes it.
fn compare(name: &str, text: &str) {
    let path = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/trace/golden")).join(name);
    if std::env::var_os("SECCOMP_TRACE_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (number, (ours, theirs)) in text.lines().zip(golden.lines()).enumerate() {
        assert_eq!(ours, theirs, "{name}, line {}", number + 1);
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "{name}");
}

/// The lines of the kinds that strace has are as strace 6.1 prints them; the others are documented.
#[test]
fn events_are_printed_as_the_golden_file_has_them() {
    compare("trace.txt", &printed(false, Clock::default(), false));
    compare("times.txt", &printed(false, Clock::new(Stamp::Unix, true), true));
}

#[test]
fn events_are_objects_as_the_golden_file_has_them() {
    let text = printed(true, Clock::default(), false);
    for line in text.lines() {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(object["type"].is_string(), "{line}");
        assert!(
            line.bytes().all(|byte| byte >= 0x20),
            "one line, and nothing that a terminal acts on: {line:?}"
        );
    }
    compare("trace.json", &text);
}
