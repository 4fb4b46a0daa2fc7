//! Merged profiles against the filters that libseccomp compiles.
#![cfg(feature = "libseccomp")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use proptest::prelude::*;
use seccomp_trace_core::Arch;
use seccomp_trace_profile::{
    AlgebraError, Combination, Environment, OnConflict, Profile, Resolved, Semantics, diff, merge, prove,
    subset,
};

const NATIVE: Arch = Arch::X86_64;

fn semantics(profile: &Profile) -> Semantics {
    let resolved = Resolved::new(profile, &Environment::default(), NATIVE).unwrap();
    Semantics::new(profile, &resolved).unwrap()
}

/// Values at the ends of the halves that a filter compares. Masks have few bits: the complement of a dense one falls
/// into a region for each of its bits, and rules with several of them are refused as too complex, after a while.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![0..8_u64, Just(0x8000_0000), Just(0x8000_0001)]
}

/// A rule in the operators that libseccomp compiles as they are meant beside others.
fn rule() -> impl Strategy<Value = String> {
    let condition = (value(), value(), any::<bool>());
    (0..3_usize, proptest::collection::btree_map(0..3_u8, condition, 0..3)).prop_map(|(name, conditions)| {
        let args: Vec<_> = conditions
            .into_iter()
            .map(|(index, (value, two, masked))| {
                let op = if masked { "MASKED_EQ" } else { "EQ" };
                format!(r#"{{"index":{index},"value":{value},"valueTwo":{two},"op":"SCMP_CMP_{op}"}}"#)
            })
            .collect();
        let name = ["prctl", "personality", "socket"][name];
        format!(r#"{{"names":["{name}"],"action":"SCMP_ACT_ALLOW","args":[{}]}}"#, args.join(","))
    })
}

fn profile() -> impl Strategy<Value = Profile> {
    let errno = prop_oneof![Just(1), Just(38)];
    (errno, proptest::collection::vec(rule(), 0..4)).prop_map(|(errno, rules)| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":{errno},
                "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{}]}}"#,
            rules.join(",")
        );
        Profile::from_json(&text).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_merged_filter_decides_as_the_filters_of_the_inputs_together(a in profile(), b in profile()) {
        let (one, two) = (semantics(&a), semantics(&b));
        for how in [Combination::Union, Combination::Intersection] {
            let Ok(merged) = merge(&[one.clone(), two.clone()], how, OnConflict::Order) else { continue };
            let inputs = [("a".to_owned(), &a), ("b".to_owned(), &b)];
            let proof = prove(&merged, &inputs, how, &Environment::default(), NATIVE).unwrap();
            prop_assert!(proof.cases > 0);
            let result = semantics(&merged);
            let (small, large) = match how {
                Combination::Union => ([&one, &two], [&result, &result]),
                Combination::Intersection => ([&result, &result], [&one, &two]),
            };
            for (small, large) in small.into_iter().zip(large) {
                match subset(small, large) {
                    Ok(found) => prop_assert_eq!(found, Ok(())),
                    // Two dense masks on three arguments each: refused, which is not a wrong answer.
                    Err(AlgebraError::TooComplex { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    #[test]
    fn the_laws_of_a_lattice_hold(a in profile(), b in profile(), c in profile()) {
        let (a, b, c) = (semantics(&a), semantics(&b), semantics(&c));
        let of = |one: &Semantics, two: &Semantics, how| one.combine(two, how, OnConflict::Order).unwrap();
        let same = |one: &Semantics, two: &Semantics| diff(one, two).unwrap().changes.is_empty();
        for (how, dual) in [
            (Combination::Union, Combination::Intersection),
            (Combination::Intersection, Combination::Union),
        ] {
            prop_assert!(same(&of(&a, &b, how), &of(&b, &a, how)), "commutative");
            prop_assert!(same(&of(&of(&a, &b, how), &c, how), &of(&a, &of(&b, &c, how), how)), "associative");
            prop_assert!(same(&of(&a, &a, how), &a), "idempotent");
            prop_assert!(same(&of(&a, &of(&a, &b, dual), how), &a), "absorption");
        }
    }
}
