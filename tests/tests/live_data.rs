//! A live view: what is read of the caller's memory and of its descriptors.

use seccomp_trace_core::{
    Arch, Bytes, Call, Content, Extent, Length, Outcome, RESULT, Read, Selection, Syscall, View, What, When,
};
use seccomp_trace_tests::live::{Seen, native, view_of, watch};
use seccomp_trace_tests::{privileged, scratch, tracee};

fn read(arg: u8, what: What, when: When) -> Read {
    Read { arg, what, when }
}

fn bytes(bytes: &[u8], extent: Extent) -> Content {
    Content::Bytes(Bytes { bytes: bytes.to_vec(), extent })
}

fn whole(text: &[u8]) -> Content {
    bytes(text, Extent::Whole)
}

/// What was read of an argument.
fn of(call: &Call, arg: u8) -> &Content {
    let mut found = call.data.iter().filter(|datum| datum.arg == arg);
    let datum = found.next().unwrap_or_else(|| panic!("nothing of argument {arg}: {call:#?}"));
    assert!(found.next().is_none(), "read twice: {call:#?}");
    &datum.content
}

fn shown(how: &[&str], calls: &[(&str, &[Read])]) -> Seen {
    let seen = watch(view_of(calls), &[&[tracee("shown").as_str()], how].concat());
    assert_eq!(seen.lost, 0);
    seen
}

/// A page that is not there yet is read when the kernel has fetched it; one that cannot be there is marked, with what
/// precedes it.
#[test]
fn paths_are_read_or_marked_and_never_empty() {
    privileged!();
    let path = [read(1, What::Path, When::Entry)];
    let seen = shown(&["paths"], &[("faccessat", &path)]);
    let found: Vec<_> = seen.calls().map(|call| of(call, 1).clone()).collect();
    let expected = [
        whole(b"/plain"),
        whole(b"/cold"),
        whole(b"/end"),
        bytes(b"/edges", Extent::Unreadable),
        bytes(b"", Extent::Unreadable),
        Content::Null,
        whole(b""),
        whole(&[b'l'; 4095]),
        bytes(&[b't'; 4096], Extent::Cut),
        whole(b"\x1b[31m\xff"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn buffers_and_structures_are_read_to_their_length_and_no_further() {
    privileged!();
    let returned = What::Buffer(Length::Returned);
    let seen = shown(
        &["buffers"],
        &[
            ("write", &[read(1, What::Buffer(Length::Arg(2)), When::Entry)]),
            ("read", &[read(1, returned, When::Exit)]),
            ("pipe2", &[read(0, What::Struct(Length::Fixed(8)), When::Exit)]),
            ("writev", &[read(1, What::Iovec { count: 2, returned: false }, When::Entry)]),
            ("connect", &[read(1, What::Struct(Length::Arg(2)), When::Entry)]),
            ("accept4", &[read(1, What::Struct(Length::Pointed(2)), When::Exit)]),
        ],
    );
    let text = b"01234567890123456789012345678901";
    let writes = seen.named("write");
    assert_eq!(*of(writes[0], 1), bytes(text, Extent::Cut));
    assert_eq!(*of(writes[1], 1), bytes(b"end", Extent::Unreadable));
    // Those of the dynamic loader come before.
    let reads = seen.named("read");
    let [.., full, empty] = &reads[..] else { panic!("two reads at least") };
    assert_eq!(*of(full, 1), bytes(text, Extent::Cut));
    assert!(empty.data.is_empty(), "a call that failed returned nothing: {empty:#?}");
    let Content::Bytes(ends) = of(seen.only("pipe2"), 0) else { panic!() };
    let end = |at: usize| u64::from(u32::from_ne_bytes(ends.bytes[at..at + 4].try_into().unwrap()));
    assert_eq!((ends.bytes.len(), ends.extent), (8, Extent::Whole));
    assert_eq!((full.args[0], writes[0].args[0]), (end(0), end(4)));
    let element = |text: &[u8], extent| Bytes { bytes: text.to_vec(), extent };
    let vectors = seen.named("writev");
    let one = Content::List { elements: vec![element(b"one", Extent::Whole)], extent: Extent::Whole };
    assert_eq!(*of(vectors[0], 1), one);
    let elements = vec![
        element(b"one", Extent::Whole),
        element(b"", Extent::Unreadable),
        element(b"three", Extent::Whole),
    ];
    assert_eq!(*of(vectors[1], 1), Content::List { elements, extent: Extent::Whole });
    let (Content::Bytes(to), Content::Bytes(from)) =
        (of(seen.only("connect"), 1), of(seen.only("accept4"), 1))
    else {
        panic!()
    };
    let family = u16::try_from(nix::libc::AF_INET).unwrap().to_ne_bytes();
    for address in [to, from] {
        assert_eq!((address.bytes.len(), &address.bytes[..2]), (16, &family[..]));
        assert_eq!(address.bytes[4..8], [127, 0, 0, 1]);
    }
}

/// The oracle is what /proc/self/fd said to the process itself.
#[test]
fn descriptors_are_named_as_proc_names_them() {
    privileged!();
    let folder = scratch();
    let place = folder.path().canonicalize().unwrap();
    let reads = [read(0, What::Descriptor, When::Entry), read(RESULT, What::Descriptor, When::Exit)];
    let seen = shown(&["descriptors", place.to_str().unwrap()], &[("dup", &reads)]);
    let list = std::fs::read_to_string(place.join("list")).unwrap();
    let calls: Vec<_> = seen.calls().collect();
    assert!(list.lines().count() > 16);
    assert_eq!(calls.len(), list.lines().count());
    for (call, line) in calls.iter().zip(list.lines()) {
        if line.is_empty() {
            assert_eq!(*of(call, 0), Content::NoDescriptor);
            continue;
        }
        let name = Content::Descriptor(Bytes { bytes: line.as_bytes().to_vec(), extent: Extent::Whole });
        assert_eq!(*of(call, 0), name, "{line}");
        if let Outcome::Returned { value: 0.., .. } = call.outcome {
            assert_eq!(*of(call, RESULT), name, "{line}");
        }
    }
}

fn exec_reads() -> Vec<Read> {
    vec![
        read(0, What::Path, When::Entry),
        read(1, What::Strings, When::Entry),
        read(2, What::Strings, When::Entry),
    ]
}

fn list(content: &Content) -> (Vec<Vec<u8>>, Extent) {
    match content {
        Content::List { elements, extent } => {
            (elements.iter().map(|element| element.bytes.clone()).collect(), *extent)
        }
        other => panic!("{other:?}"),
    }
}

/// After an exec the caller's memory is gone, so what was not there at its entry comes from what the kernel took over.
#[test]
fn the_path_and_the_arguments_of_an_exec_survive_it() {
    privileged!();
    let seen = shown(&["exec"], &[("execve", &exec_reads())]);
    let calls: Vec<_> = seen.calls().collect();
    assert_eq!(calls.len(), 3, "{calls:#?}");
    assert!(matches!(calls[1].outcome, Outcome::Returned { value: -2, .. }));
    assert_eq!(*of(calls[1], 0), whole(b"/no/such/program"));
    // The kernel did not come so far as to look at them.
    let Content::List { elements, .. } = of(calls[1], 1) else { panic!() };
    assert_eq!(elements[..], [b"", b""].map(|_| Bytes { bytes: Vec::new(), extent: Extent::Unreadable }));
    assert!(matches!(calls[2].outcome, Outcome::Returned { value: 0, .. }));
    assert_eq!(*of(calls[2], 0), whole(b"/bin/true"));
    let expected = (vec![b"/bin/true".to_vec(), b"arg".to_vec()], Extent::Whole);
    assert_eq!((list(of(calls[2], 1)), list(of(calls[2], 2))), (expected.clone(), expected));
}

/// What lists the variables may not be there at entry, and a longer list is not read to its end.
#[test]
fn the_variables_of_an_exec_are_counted_by_the_kernel() {
    privileged!();
    let list = read(2, What::Struct(Length::Fixed(512)), When::Entry);
    let counted = |options: &[&str]| {
        let seen = shown(options, &[("execve", &[read(0, What::Path, When::Entry), list])]);
        let last = seen.calls().last().expect("an exec");
        assert!(matches!(last.outcome, Outcome::Returned { value: 0, .. }), "{last:?}");
        of(last, 2).clone()
    };
    assert_eq!(counted(&["exec-counted", "2"]), Content::Count(2));
    assert_eq!(counted(&["exec-touched", "64"]), Content::Count(64), "no room for the last pointer");
    assert!(matches!(counted(&["exec-touched", "63"]), Content::Bytes(_)));
}

#[test]
fn long_and_many_arguments_are_cut_and_say_so() {
    privileged!();
    let seen = shown(&["exec-many"], &[("execve", &exec_reads()[..2])]);
    let call = seen.calls().last().expect("an exec");
    let Content::List { elements, extent } = of(call, 1) else { panic!() };
    assert_eq!((elements.len(), *extent), (32, Extent::Cut));
    assert_eq!(elements[0], Bytes { bytes: b"arg".to_vec(), extent: Extent::Whole });
    assert_eq!(elements[1], Bytes { bytes: vec![b'x'; 32], extent: Extent::Cut });
    // With room for them they do not wait with the thread, but go ahead of the call.
    let view = View { string_limit: 4000, ..view_of(&[("execve", &exec_reads()[..2])]) };
    let seen = watch(view, &[&tracee("shown"), "exec-many"]);
    let call = seen.calls().last().expect("an exec");
    assert_eq!(call.syscall, native("execve"));
    let Content::List { elements, .. } = of(call, 1) else { panic!() };
    assert_eq!(elements[1], Bytes { bytes: vec![b'x'; 3000], extent: Extent::Whole });
}

/// Pointers, sizes and vectors of a 32-bit caller have four bytes each.
#[test]
#[cfg(target_arch = "x86_64")]
fn the_memory_of_32_bit_callers_is_read_in_their_layout() {
    privileged!();
    if !seccomp_trace_tests::runs_32_bit() {
        seccomp_trace_tests::say("left out: this kernel runs no 32-bit code");
        return;
    }
    let i386 = |name| Syscall::from_name(Arch::X86, name).expect("a call of i386");
    let reads = [
        (i386("access"), vec![read(0, What::Path, When::Entry)]),
        (i386("writev"), vec![read(1, What::Iovec { count: 2, returned: false }, When::Entry)]),
        (i386("execve"), exec_reads()),
    ];
    let calls = Selection::Only(reads.iter().map(|(call, _)| *call).collect());
    let view = View { calls, reads: reads.into(), ..View::default() };
    let seen = watch(view, &[&tracee("i386_data")]);
    assert_eq!(*of(seen.only("access"), 0), whole(b"/no/such/file"));
    let vector = (vec![b"one".to_vec(), b"three".to_vec()], Extent::Whole);
    assert_eq!(list(of(seen.only("writev"), 1)), vector);
    let exec = seen.only("execve");
    assert_eq!(exec.syscall.arch, Arch::X86);
    assert!(matches!(exec.outcome, Outcome::Returned { value: 0, .. }), "{exec:?}");
    assert_eq!(*of(exec, 0), whole(b"/bin/true"));
    assert_eq!(list(of(exec, 1)), (vec![b"/bin/true".to_vec(), b"second".to_vec()], Extent::Whole));
    assert_eq!(*of(exec, 2), Content::Null);
}

/// An exec of a 32-bit program ends under the number that it has in the ABI of that program.
#[test]
#[cfg(target_arch = "x86_64")]
fn an_exec_into_another_abi_is_shown_once_as_it_was_entered() {
    privileged!();
    if !seccomp_trace_tests::runs_32_bit() {
        seccomp_trace_tests::say("left out: this kernel runs no 32-bit code");
        return;
    }
    let native_alone = view_of(&[("execve", &[])]);
    let all = View::default();
    for (view, count) in [(native_alone, 1), (all, 2)] {
        let seen = watch(view, &[&tracee("i386_data")]);
        let execs = seen.named("execve");
        assert_eq!(execs.len(), count, "{execs:#?}");
        assert_eq!(execs[0].syscall, native("execve"));
        assert!(matches!(execs[0].outcome, Outcome::Returned { value: 0, .. }), "{execs:#?}");
    }
}
