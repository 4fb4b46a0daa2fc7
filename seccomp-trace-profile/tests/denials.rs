//! Who denied a call, which rule did, and what allows it.
#![cfg(feature = "libseccomp")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use seccomp_trace_core::{
    Answer, Arch, Circumstances, Comm, Denial, FirstSeen, Syscall, SyscallNr, Tgid, Tid, Timestamp, Watched,
};
use seccomp_trace_profile::{
    Cause, Environment, Filter, Judgement, Profile, Resolved, Ruling, Verdict, allow_denied, judge,
};
use support::call;

const NATIVE: Arch = Arch::X86_64;
const NONE: Circumstances =
    Circumstances { setup: false, own_filters: false, traced: false, emulated: false, starting: false };

/// Allows `getpid`, and `socket` of family 1; logs `getsid`; denies `mkdir` by a rule, the rest by default.
fn profile() -> Profile {
    Profile::from_json(
        r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [
            {"names": ["getpid"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
            {"names": ["getsid"], "action": "SCMP_ACT_LOG"},
            {"names": ["mkdir"], "action": "SCMP_ACT_TRAP"}]}"#,
    )
    .unwrap()
}

fn resolved(profile: &Profile) -> Resolved<'_> {
    Resolved::new(profile, &Environment::default(), NATIVE).unwrap()
}

fn filter() -> Filter {
    Filter::new(&resolved(&profile())).unwrap()
}

fn first(time: u64) -> FirstSeen {
    FirstSeen { time: Timestamp::from_unix_nanos(time), pid: Tgid(7), tid: Tid(8), comm: Comm::default() }
}

fn denial(name: &str, answer: Answer, circumstances: Circumstances, args: &[u64], others: u64) -> Denial {
    let args: BTreeMap<_, _> = args.iter().map(|arg| ([*arg, 0, 0, 0, 0, 0], 1)).collect();
    Denial {
        call: call(NATIVE, name),
        answer,
        circumstances,
        count: args.values().sum::<u64>() + others,
        first: first(1),
        args,
        others,
    }
}

fn causes(judgement: &Judgement) -> Vec<(Cause, u64)> {
    judgement.found.iter().map(|judged| (judged.cause, judged.count)).collect()
}

/// What one call that was not executed is taken for, with the profile and without.
fn cause(
    name: &str,
    answer: Answer,
    circumstances: Circumstances,
    arg: u64,
) -> (Option<Cause>, Option<Cause>) {
    let denials = [denial(name, answer, circumstances, &[arg], 0)];
    let one = |filter| {
        let judgement = judge(filter, &denials);
        assert!(judgement.found.len() <= 1 && judgement.undecided.is_empty());
        judgement.found.first().map(|judged| judged.cause)
    };
    (one(Some(&filter())), one(None))
}

/// The profile is blamed for what its filter denies, and for nothing else.
#[test]
fn each_circumstance_has_its_cause() {
    let denied = Cause::Profile(Verdict::Errno(38));
    let enosys = Answer::Errno(38);
    let own = Circumstances { own_filters: true, ..NONE };
    let traced = Circumstances { traced: true, ..NONE };
    let emulated = Circumstances { traced: true, emulated: true, ..NONE };
    let starting = Circumstances { starting: true, ..NONE };
    for (name, answer, circumstances, arg, with, without) in [
        ("semop", enosys, NONE, 0, Some(denied), Some(Cause::Filter)),
        ("mkdir", Answer::Signal, NONE, 0, Some(Cause::Profile(Verdict::Trap)), Some(Cause::Filter)),
        ("socket", enosys, NONE, 2, Some(denied), Some(Cause::Filter)),
        ("socket", enosys, NONE, 1, Some(Cause::Elsewhere), Some(Cause::Filter)),
        ("getpid", Answer::Result, NONE, 0, Some(Cause::Elsewhere), Some(Cause::Elsewhere)),
        ("getpid", Answer::Errno(1), own, 0, Some(Cause::Program), Some(Cause::Unknown)),
        ("semop", enosys, own, 0, Some(denied), Some(Cause::Unknown)),
        // Both deny it, and the program's filter is asked first.
        ("semop", Answer::Errno(1), own, 0, Some(Cause::Program), Some(Cause::Unknown)),
        ("semop", Answer::Killed, own, 0, Some(Cause::Program), Some(Cause::Unknown)),
        ("getpid", Answer::Errno(1), traced, 0, Some(Cause::Tracer), Some(Cause::Filter)),
        ("semop", enosys, traced, 0, Some(denied), Some(Cause::Filter)),
        ("semop", enosys, emulated, 0, Some(Cause::Tracer), Some(Cause::Tracer)),
        ("semop", enosys, starting, 0, Some(denied), None),
        ("getpid", Answer::Errno(4), starting, 0, None, None),
        ("semop", Answer::Killed, starting, 0, Some(denied), Some(Cause::Filter)),
        ("getsid", Answer::Executed, NONE, 0, Some(Cause::Profile(Verdict::Log)), None),
        ("getpid", Answer::Executed, NONE, 0, None, None),
    ] {
        assert_eq!(
            cause(name, answer, circumstances, arg),
            (with, without),
            "{name} {answer:?} {circumstances:?}"
        );
    }
}

/// What a tracer skips has the number -1 by then; a program that calls -1 itself is denied it.
#[test]
fn the_number_of_a_skipped_call_is_the_tracers() {
    let one = |circumstances| {
        let mut denial = denial("getpid", Answer::Errno(38), circumstances, &[0], 0);
        denial.call = Syscall::new(NATIVE, -1);
        causes(&judge(Some(&filter()), &[denial]))
    };
    assert_eq!(one(Circumstances { traced: true, ..NONE }), [(Cause::Tracer, 1)]);
    assert_eq!(one(NONE), [(Cause::Profile(Verdict::Errno(38)), 1)]);
}

/// The launcher's own calls are not the command's, but its execve is.
#[test]
fn before_the_command_its_execve_alone_counts() {
    let setup = Circumstances { setup: true, ..NONE };
    let denials =
        ["write", "execve", "exit_group"].map(|name| denial(name, Answer::Errno(38), setup, &[0], 0));
    let found = judge(Some(&filter()), &denials);
    assert_eq!(found.found.iter().map(|judged| judged.call).collect::<Vec<_>>(), [call(NATIVE, "execve")]);
}

/// Entries that differ in circumstances alone are one denial, with the first of them and all arguments.
#[test]
fn denials_for_one_cause_are_added_up() {
    let traced = Circumstances { traced: true, ..NONE };
    let mut later = denial("socket", Answer::Errno(38), traced, &[2, 1], 0);
    later.first = first(9);
    let found = judge(Some(&filter()), &[later, denial("socket", Answer::Errno(38), NONE, &[2, 3], 5)]);
    assert_eq!(causes(&found), [(Cause::Profile(Verdict::Errno(38)), 8), (Cause::Tracer, 1)]);
    let judged = &found.found[0];
    assert_eq!((judged.first, judged.traced, judged.others), (first(1), true, 5));
    assert_eq!(
        judged.args.iter().map(|(args, count)| (args[0], *count)).collect::<Vec<_>>(),
        [(2, 2), (3, 1)]
    );
}

/// Arguments that found no room: of a call that is denied whatever they are, they are no matter. Of one that is allowed for
/// some, what was not executed was denied, unless somebody else was there; what was executed is in doubt.
#[test]
fn unknown_arguments_are_never_guessed() {
    let own = Circumstances { own_filters: true, ..NONE };
    let found =
        |name, answer, circumstances| judge(Some(&filter()), &[denial(name, answer, circumstances, &[2], 9)]);
    let denied = Cause::Profile(Verdict::Errno(38));
    assert_eq!(causes(&found("semop", Answer::Errno(38), own)), [(denied, 10)]);
    assert_eq!(causes(&found("socket", Answer::Errno(38), NONE)), [(denied, 10)]);
    assert_eq!(causes(&found("socket", Answer::Errno(38), own)), [(denied, 1), (Cause::Unknown, 9)]);
    let executed = found("socket", Answer::Executed, NONE);
    assert_eq!(causes(&executed), [(denied, 1)]);
    assert_eq!(executed.undecided, BTreeMap::from([(call(NATIVE, "socket"), 9)]));
}

#[test]
fn the_rule_that_decides_is_named() {
    let profile = profile();
    let resolved = resolved(&profile);
    let ruling = |call, verdict| Ruling::of(&resolved, call, verdict);
    let errno = Verdict::Errno(38);
    assert_eq!(ruling(call(NATIVE, "semop"), errno), Ruling::Default);
    assert_eq!(ruling(call(NATIVE, "socket"), errno), Ruling::Conditions { rules: vec![1] });
    assert_eq!(ruling(call(NATIVE, "mkdir"), Verdict::Trap), Ruling::Rules { rules: vec![3] });
    assert_eq!(ruling(call(Arch::X86, "getpid"), Verdict::KillThread), Ruling::Architecture);
    assert_eq!(ruling(Syscall::new(NATIVE, 9999), errno), Ruling::Number);
    assert_eq!(ruling(call(NATIVE, "mkdir"), Verdict::Trap).to_string(), "syscalls[3]");
}

/// What is watched is what can have a wanted verdict, of each ABI of the machine, and no more.
#[test]
fn a_filter_says_what_to_watch() {
    let watch = filter().watch(|verdict| !verdict.executes());
    assert_eq!(watch.keys().copied().collect::<BTreeSet<_>>(), [Arch::X86_64, Arch::X86, Arch::X32].into());
    let how = |call: Syscall| {
        let abi = &watch[&call.arch];
        abi.calls.get(&call.nr).copied().unwrap_or(abi.others)
    };
    assert_eq!(how(call(NATIVE, "getpid")), Watched::Never);
    assert_eq!(how(call(NATIVE, "getsid")), Watched::Never);
    assert_eq!(how(call(NATIVE, "mkdir")), Watched::Always);
    assert_eq!(how(call(NATIVE, "socket")), Watched::Tested(1), "its first argument decides");
    assert_eq!(how(Syscall { arch: NATIVE, nr: SyscallNr(9999) }), Watched::Always);
    assert_eq!(how(call(Arch::X86, "getpid")), Watched::Always, "the architecture is not covered");
    let logged = filter().watch(|verdict| verdict == Verdict::Log);
    assert_eq!(logged[&NATIVE].calls.keys().copied().collect::<Vec<_>>(), [call(NATIVE, "getsid").nr]);
    assert!(filter().watch(|_| false).is_empty(), "nothing to watch costs nothing");
}

/// What is added allows what was denied, and the next value of the argument is denied as before.
#[test]
fn what_was_denied_is_allowed_and_no_more() {
    let profile = profile();
    let denials = [
        denial("semop", Answer::Errno(38), NONE, &[0], 0),
        denial("socket", Answer::Errno(38), NONE, &[2], 0),
        denial("mkdir", Answer::Signal, NONE, &[0], 0),
    ];
    let judgement = judge(Some(&filter()), &denials);
    let allowed = allow_denied(&profile, &Environment::default(), NATIVE, &judgement).unwrap();
    let after = Filter::new(&resolved(&allowed.profile)).unwrap();
    let verdict = |name: &str, arg: u64| after.verdict(call(NATIVE, name), [arg, 0, 0, 0, 0, 0]);
    for (name, arg, expected) in [
        ("semop", 0, Verdict::Allow),
        ("mkdir", 0, Verdict::Allow),
        ("socket", 1, Verdict::Allow),
        ("socket", 2, Verdict::Allow),
        ("socket", 3, Verdict::Errno(38)),
        ("getsid", 0, Verdict::Log),
        ("rmdir", 0, Verdict::Errno(38)),
    ] {
        assert_eq!(verdict(name, arg), expected, "{name} {arg}");
    }
    assert_eq!(allowed.taken_out, BTreeSet::from(["mkdir".to_owned()]));
    assert_eq!(allowed.profile.default_action(), profile.default_action());
    assert!(allowed.unnamed.is_empty());
}

/// Numbers without a name cannot be allowed; where there is nothing else, the profile stays as it is.
#[test]
fn numbers_without_a_name_are_said_and_left() {
    let mut denial = denial("getpid", Answer::Errno(38), NONE, &[0], 0);
    denial.call = Syscall::new(NATIVE, 9999);
    let judgement = judge(Some(&filter()), &[denial]);
    let allowed = allow_denied(&profile(), &Environment::default(), NATIVE, &judgement).unwrap();
    assert_eq!(allowed.unnamed, BTreeSet::from([Syscall::new(NATIVE, 9999)]));
    assert_eq!(allowed.profile, profile());
}
