//! Merged profiles against the filters that libseccomp compiles, run one call at a time by the interpreter, which
//! knows nothing of the algebra.
#![cfg(feature = "libseccomp")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use seccomp_trace_core::{Arch, Syscall};
use seccomp_trace_profile::{
    AlgebraError, Combination, Environment, Filter, Merged, OnConflict, Profile, Resolved, Semantics,
    Verdict, diff, merge, prove, subset,
};
use support::real_profiles;

const NATIVE: Arch = Arch::X86_64;
const BOTH: [(Combination, Combination); 2] =
    [(Combination::Union, Combination::Intersection), (Combination::Intersection, Combination::Union)];
/// `socket` and `semget` are part of other calls on i386.
const NAMES: [&str; 5] = ["prctl", "personality", "socket", "semget", "read"];
/// Calls that are put through the filters of each set of profiles.
const CALLS: usize = 200;

/// How many sets of profiles, so that `SETS` times `CALLS` is the number of cases.
fn sets(usual: u32) -> u32 {
    let full =
        std::env::var_os("SECCOMP_TRACE_TEST_FULL").is_some_and(|value| !value.is_empty() && value != "0");
    if full { usual * 10 } else { usual }
}

fn compiled(profile: &Profile) -> Result<Semantics, AlgebraError> {
    Semantics::compiled(profile, &Resolved::new(profile, &Environment::default(), NATIVE).unwrap())
}

/// Values at the ends of the halves that a filter compares.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..8_u64,
        1 => prop::sample::select(vec![0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 32, 1 << 32 | 3, 1 << 63, u64::MAX]),
        1 => any::<u64>(),
    ]
}

/// Operators, those first that libseccomp compiles in a bearable time beside others on other arguments.
const OPERATORS: [&str; 7] = ["EQ", "MASKED_EQ", "NE", "LT", "LE", "GE", "GT"];

fn condition(operators: usize) -> impl Strategy<Value = String> {
    (value(), value(), 0..operators).prop_map(|(value, two, op)| {
        format!(r#""value":{value},"valueTwo":{two},"op":"SCMP_CMP_{}""#, OPERATORS[op])
    })
}

/// A rule for one name, with any verdict that a program survives.
fn rule_for(
    name: &'static str,
    args: impl Strategy<Value = BTreeMap<u8, String>>,
) -> impl Strategy<Value = String> {
    let action = prop_oneof![
        6 => Just(r#""SCMP_ACT_ALLOW""#),
        1 => Just(r#""SCMP_ACT_ERRNO","errnoRet":13"#),
        1 => Just(r#""SCMP_ACT_LOG""#),
    ];
    (action, args).prop_map(move |(action, args)| {
        let args: Vec<_> =
            args.iter().map(|(index, rest)| format!(r#"{{"index":{index},{rest}}}"#)).collect();
        format!(r#"{{"names":["{name}"],"action":{action},"args":[{}]}}"#, args.join(","))
    })
}

/// A rule with conditions of every kind.
fn any_rule() -> impl Strategy<Value = String> {
    let args = || proptest::collection::btree_map(0..3_u8, condition(7), 0..3);
    prop_oneof![rule_for("prctl", args()), rule_for("socket", args()), rule_for("semget", args())]
}

/// A rule that may stand beside others: libseccomp 2.5.4 does not end on some pairs of rules with inequalities on
/// different arguments, so those are on one argument of one call.
fn rule() -> impl Strategy<Value = String> {
    let plain = |name| rule_for(name, proptest::collection::btree_map(0..3_u8, condition(2), 0..3));
    let args = proptest::collection::btree_map(Just(0_u8), condition(7), 0..2);
    prop_oneof![
        plain("prctl"),
        plain("socket"),
        plain("semget"),
        plain("read"),
        rule_for("personality", args)
    ]
}

fn profile() -> impl Strategy<Value = Profile> {
    let errno = prop_oneof![Just(1), Just(38)];
    let x86 = prop_oneof![4 => Just(r#","SCMP_ARCH_X86","SCMP_ARCH_X32""#), 1 => Just("")];
    (errno, x86, proptest::collection::vec(rule(), 0..5)).prop_map(|(errno, x86, rules)| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":{errno},
                "architectures":["SCMP_ARCH_X86_64"{x86}],"syscalls":[{}]}}"#,
            rules.join(",")
        );
        Profile::from_json(&text).unwrap()
    })
}

/// Calls of every ABI, most of them ones that the rules are about.
fn calls() -> impl Strategy<Value = Vec<(Syscall, [u64; 6])>> {
    let arch = prop::sample::select(vec![Arch::X86_64, Arch::X86, Arch::X32]);
    let number = prop_oneof![8 => (0..NAMES.len() + 2).prop_map(Ok), 1 => any::<i32>().prop_map(Err)];
    let call = (arch, number).prop_map(|(arch, number)| match number {
        Ok(index) => {
            let name = NAMES.get(index).copied().unwrap_or(["socketcall", "ipc"][index % 2]);
            Syscall::from_name(arch, name).unwrap_or(Syscall::new(arch, 0))
        }
        // x32's numbers have a bit of their own.
        Err(number) => Syscall::new(arch, number & 0x3fff_ffff),
    });
    proptest::collection::vec((call, [value(), value(), value(), value(), value(), value()]), CALLS)
}

/// The filter of a profile, which is one for all its ABIs.
struct Filters(Filter, BTreeSet<Arch>);

impl Filters {
    fn of(profile: &Profile) -> Self {
        let resolved = Resolved::new(profile, &Environment::default(), NATIVE).unwrap();
        Self(Filter::new(&resolved).unwrap(), resolved.arches().collect())
    }

    /// An ABI that is not covered is stricter than any verdict.
    fn verdict(&self, (call, args): &(Syscall, [u64; 6])) -> Verdict {
        if self.1.contains(&call.arch) { self.0.verdict(*call, *args) } else { Verdict::KillProcess }
    }
}

/// Runs a property and says how often what it wanted could be said in rules.
fn check<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    match TestRunner::new(config).run(&strategy, test) {
        Ok(()) => {}
        Err(TestError::Fail(reason, value)) => panic!("{reason}\nwith {value:?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// The heart of it, over 100,000 calls: three profiles, the filters of their combinations, and the laws of a lattice,
/// each by what the filters say about random calls.
#[test]
fn filters_of_merged_profiles_obey_the_laws_of_a_lattice() {
    let (cases, made, refused) = (Cell::new(0_usize), Cell::new(0_usize), Cell::new(0_usize));
    let profiles = (profile(), profile(), profile());
    check(sets(420), (profiles, calls()), |((a, b, c), calls)| {
        // libseccomp refuses some sets of rules that overlap, and so would a runtime.
        let Ok([one, two, three]) = [&a, &b, &c]
            .map(compiled)
            .into_iter()
            .collect::<Result<Vec<_>, _>>()
            .map(|all| <[Semantics; 3]>::try_from(all).unwrap())
        else {
            refused.set(refused.get() + 1);
            return Ok(());
        };
        let merged = |all: &[&Semantics], how| {
            let all: Vec<Semantics> = all.iter().map(|one| (*one).clone()).collect();
            match merge(&all, how, OnConflict::Order) {
                Ok(Merged { profile, .. }) => {
                    made.set(made.get() + 1);
                    Some((Filters::of(&profile), compiled(&profile).unwrap()))
                }
                // What libseccomp makes of x86_64 and x32 together can be wrong where each alone is right.
                Err(
                    AlgebraError::NotExpressible { .. }
                    | AlgebraError::TooComplex { .. }
                    | AlgebraError::Miscompiled { .. },
                ) => None,
                Err(error) => panic!("{error}"),
            }
        };
        let [fa, fb, fc] = [&a, &b, &c].map(Filters::of);
        for (how, dual) in BOTH {
            // What cannot be said in rules is no wrong answer.
            let Some((ab, ab_again)) = merged(&[&one, &two], how) else { continue };
            let equal = |name: &str, law: Option<(Filters, Semantics)>, expected: &Filters| {
                let Some((found, _)) = law else { return Ok(()) };
                for call in &calls {
                    prop_assert_eq!(found.verdict(call), expected.verdict(call), "{}: {:?}", name, call);
                }
                Ok(())
            };
            equal("commutative", merged(&[&two, &one], how), &ab)?;
            equal("idempotent", merged(&[&one, &one], how), &fa)?;
            equal("absorption", merged(&[&one, &ab_again], dual), &fa)?;
            if let Some((abc, _)) = merged(&[&ab_again, &three], how)
                && let Some((_, bc)) = merged(&[&two, &three], how)
            {
                equal("associative", merged(&[&one, &bc], how), &abc)?;
                for call in &calls {
                    let all = how.of(how.of(fa.verdict(call), fb.verdict(call)), fc.verdict(call));
                    prop_assert_eq!(abc.verdict(call), all, "three: {:?}", call);
                }
            }
            for call in &calls {
                let (mine, theirs) = (fa.verdict(call), fb.verdict(call));
                prop_assert_eq!(ab.verdict(call), how.of(mine, theirs), "{:?}", call);
                let wider = match how {
                    Combination::Union => ab.verdict(call) >= mine.max(theirs),
                    Combination::Intersection => ab.verdict(call) <= mine.min(theirs),
                };
                prop_assert!(wider, "a union holds each, an intersection is held by each: {:?}", call);
            }
            cases.set(cases.get() + calls.len());
        }
        Ok(())
    });
    println!("{} calls; {} merges; {} sets that libseccomp refuses", cases.get(), made.get(), refused.get());
    assert!(cases.get() >= 100_000, "{} cases", cases.get());
}

/// The same laws for all arguments, by the functions themselves, whether or not rules can say the result.
#[test]
fn the_functions_obey_the_laws_of_a_lattice() {
    check(sets(200), (profile(), profile(), profile()), |(a, b, c)| {
        let (Ok(a), Ok(b), Ok(c)) = (compiled(&a), compiled(&b), compiled(&c)) else { return Ok(()) };
        let of = |one: &Semantics, two: &Semantics, how| one.combine(two, how, OnConflict::Order).unwrap();
        let same = |one: &Semantics, two: &Semantics| diff(one, two).unwrap().is_empty();
        for (how, dual) in BOTH {
            prop_assert!(same(&of(&a, &b, how), &of(&b, &a, how)), "commutative");
            prop_assert!(same(&of(&of(&a, &b, how), &c, how), &of(&a, &of(&b, &c, how), how)), "associative");
            prop_assert!(same(&of(&a, &a, how), &a), "idempotent");
            prop_assert!(same(&of(&a, &of(&a, &b, dual), how), &a), "absorption");
        }
        let (union, common) = (of(&a, &b, Combination::Union), of(&a, &b, Combination::Intersection));
        for (small, large) in [(&a, &union), (&b, &union), (&common, &a), (&common, &b), (&common, &union)] {
            prop_assert_eq!(subset(small, large).unwrap(), Ok(()));
        }
        Ok(())
    });
}

/// What a function says of a call, the interpreter says too: two ways through the same filter.
#[test]
fn a_filter_followed_for_all_arguments_is_the_filter_run_for_one() {
    check(sets(300), (profile(), calls()), |(profile, calls)| {
        let Ok(meaning) = compiled(&profile) else { return Ok(()) };
        let filters = Filters::of(&profile);
        for (call, args) in calls {
            let found = meaning.verdict(call, args).unwrap_or(Verdict::KillProcess);
            prop_assert_eq!(found, filters.verdict(&(call, args)), "{:?} {:?}", call, args);
        }
        Ok(())
    });
}

/// The rules alone, without libseccomp, are understood as it compiles them where it compiles them as they are meant.
#[test]
fn single_rules_mean_what_they_are_compiled_to() {
    check(sets(300), any_rule(), |rule| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{rule}]}}"#
        );
        let profile = Profile::from_json(&text).unwrap();
        let resolved = Resolved::new(&profile, &Environment::default(), NATIVE).unwrap();
        let (rules, filters) = (Semantics::new(&profile, &resolved).unwrap(), compiled(&profile).unwrap());
        prop_assert_eq!(diff(&rules, &filters).unwrap().changes, Vec::new());
        Ok(())
    });
}

/// The default profiles of engines have conditions of every kind, rules that overlap, and calls that this machine's
/// libseccomp does not know.
#[test]
fn the_default_profiles_of_real_engines_are_merged_and_proved() {
    let profiles: Vec<(String, Profile)> = real_profiles()
        .into_iter()
        .map(|(path, text)| (path.display().to_string(), Profile::from_json(&text).unwrap()))
        .collect();
    let named: Vec<(String, &Profile)> =
        profiles.iter().map(|(name, profile)| (name.clone(), profile)).collect();
    let pairs = (0..named.len()).flat_map(|one| (one..named.len()).map(move |two| vec![one, two]));
    let sets: Vec<Vec<usize>> = pairs.chain([(0..named.len()).collect()]).collect();
    for set in sets.iter().filter(|set| !set.is_empty()) {
        let inputs: Vec<(String, &Profile)> = set.iter().map(|index| named[*index].clone()).collect();
        let meanings: Vec<Semantics> = inputs.iter().map(|(_, profile)| compiled(profile).unwrap()).collect();
        for (how, _) in BOTH {
            let result = merge(&meanings, how, OnConflict::Order).unwrap();
            let proof = prove(&result, &inputs, how, &Environment::default(), NATIVE).unwrap();
            assert!(proof.calls > 500, "{proof:?}");
            let result = compiled(&result.profile).unwrap();
            for meaning in &meanings {
                let (small, large) = match how {
                    Combination::Union => (meaning, &result),
                    Combination::Intersection => (&result, meaning),
                };
                assert_eq!(subset(small, large).unwrap(), Ok(()), "{set:?}");
            }
        }
    }
}

/// A generated profile lists one architecture, an engine's default three, with errnos of its own: a rule cannot deny a
/// call differently on each, and what counts is what is allowed.
#[test]
fn a_generated_profile_is_merged_with_an_engines_default() {
    let generated = Profile::from_json(
        r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64"],"syscalls":[
            {"names":["read","write","execve","exit_group"],"action":"SCMP_ACT_ALLOW"},
            {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#,
    )
    .unwrap();
    for (path, text) in real_profiles() {
        let engine = Profile::from_json(&text).unwrap();
        let inputs = [("generated".to_owned(), &generated), (path.display().to_string(), &engine)];
        let meanings: Vec<_> = inputs.iter().map(|(_, profile)| compiled(profile).unwrap()).collect();
        let exact = merge(&meanings, Combination::Union, OnConflict::Order);
        let merged = merge(&meanings, Combination::Union, OnConflict::Alike).unwrap();
        let changed = merged.default_alike || !merged.denied_alike.is_empty();
        assert_eq!(changed, exact.is_err(), "only where it must: {path:?}");
        let prove = |merged: &Merged| {
            prove(merged, &inputs, Combination::Union, &Environment::default(), NATIVE)
                .map(|proof| proof.calls)
        };
        assert!(prove(&merged).unwrap() > 500);
        if changed {
            let error = prove(&merged.profile.clone().into()).unwrap_err();
            assert!(
                matches!(error, AlgebraError::Miscompiled { .. }),
                "it is told from the exact one: {error}"
            );
        }
        let result = compiled(&merged.profile).unwrap();
        for meaning in &meanings {
            assert_eq!(subset(meaning, &result).unwrap(), Ok(()), "{path:?}");
        }
    }
}

/// A proof that cannot fail is none.
#[test]
fn a_result_that_is_not_the_combination_is_found() {
    let allow = |name: &str, args: &str| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":["{name}"],"action":"SCMP_ACT_ALLOW","args":[{args}]}}]}}"#
        );
        Profile::from_json(&text).unwrap()
    };
    let equal = |value: u64| allow("prctl", &format!(r#"{{"index":0,"value":{value},"op":"SCMP_CMP_EQ"}}"#));
    let (one, two, whole) = (equal(1), equal(1 << 40), allow("prctl", ""));
    let inputs = [("one".to_owned(), &one), ("two".to_owned(), &two)];
    for (how, wrong) in
        [(Combination::Union, &whole), (Combination::Union, &one), (Combination::Intersection, &two)]
    {
        let error = prove(&wrong.clone().into(), &inputs, how, &Environment::default(), NATIVE).unwrap_err();
        assert!(matches!(error, AlgebraError::Miscompiled { .. }), "{error}");
    }
}

/// "Give them the same architectures" is no remedy where they are the same.
#[test]
fn why_no_rules_can_say_it_fits_the_profiles() {
    let profile = |name: &str, arch: &str, value: u64| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_{arch}"],"syscalls":[
            {{"names":["{name}"],"action":"SCMP_ACT_ALLOW","args":[{{"index":0,"value":{value},"op":"SCMP_CMP_EQ"}}]}}]}}"#
        );
        compiled(&Profile::from_json(&text).unwrap()).unwrap()
    };
    let why = |one: Semantics, two: Semantics, how| match merge(&[one, two], how, OnConflict::Order) {
        Err(AlgebraError::NotExpressible { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let remedy = "give the profiles the same architectures";
    let other = why(profile("prctl", "X86", 1), profile("read", "X32", 1), Combination::Union);
    assert!(other.contains(remedy), "{other}");
    // The two are one value for 32-bit ABIs.
    let same =
        why(profile("prctl", "X86", 1), profile("prctl", "X86", 1 << 32 | 1), Combination::Intersection);
    assert!(!same.contains(remedy) && same.contains("half of each argument"), "{same}");

    let text = |rules: &str| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{rules}]}}"#
        );
        compiled(&Profile::from_json(&text).unwrap()).unwrap()
    };
    let one = text(r#"{"names":["read","socket"],"action":"SCMP_ACT_ALLOW"}"#);
    let two = text(
        r#"{"names":["accept"],"action":"SCMP_ACT_KILL"},{"names":["socketcall","read"],"action":"SCMP_ACT_ALLOW"}"#,
    );
    let held = why(one, two, Combination::Intersection);
    assert!(held.contains("i386"), "{held}");
}

/// Flags and the supervisor are no verdicts; they are kept where that can be done, and refused where it cannot.
#[test]
fn flags_and_supervisors_are_merged_or_refused() {
    let profile = |rest: &str| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":["mount"],"action":"SCMP_ACT_NOTIFY"}}],{rest}}}"#
        );
        compiled(&Profile::from_json(&text).unwrap()).unwrap()
    };
    let one = profile(r#""flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/run/a""#);
    let two = profile(
        r#""flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW","SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/run/a""#,
    );
    let other = profile(r#""flags":[],"listenerPath":"/run/b""#);
    let merged = |how| merge(&[one.clone(), two.clone()], how, OnConflict::Order).unwrap().profile;
    let union = merged(Combination::Union);
    assert_eq!(union.flags(), ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]);
    assert_eq!(union.listener_path(), Some("/run/a"));
    assert_eq!(merged(Combination::Intersection).flags(), ["SECCOMP_FILTER_FLAG_LOG"]);
    let error = merge(&[one.clone(), other], Combination::Union, OnConflict::Order).unwrap_err();
    assert!(error.to_string().contains("/run/a") && error.to_string().contains("/run/b"), "{error}");
    let settings = diff(&one, &two).unwrap().settings;
    assert_eq!(settings.len(), 1, "{settings:?}");
    assert_eq!(settings[0].key, "flags");
    // Nobody is asked any more, so nobody need be named.
    let none = Profile::from_json(r#"{"defaultAction":"SCMP_ACT_ERRNO"}"#).unwrap();
    let common = merge(&[one, compiled(&none).unwrap()], Combination::Intersection, OnConflict::Order)
        .unwrap()
        .profile;
    assert_eq!(common.listener_path(), None);
}
