//! Profiles against the filters that libseccomp makes of them.
#![cfg(feature = "libseccomp")]
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::collections::BTreeSet;

use proptest::collection::btree_set;
use proptest::prelude::*;
use seccomp_trace_core::{Arch, Observation, Phase, Recording, Syscall};
use seccomp_trace_profile::{
    Baseline, Compiled, Environment, Policy, Profile, ProfileError, Resolved, Rule, Verdict, check, generate,
};
use support::{call, fixture, observe, real_profiles, run};

fn profile(text: &str) -> Profile {
    Profile::from_json(text).unwrap()
}

/// A profile with these rules, in short.
fn rules(rules: &str) -> Profile {
    profile(&format!(
        r#"{{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,
            "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],"syscalls":[{rules}]}}"#
    ))
}

fn denied(profile: &Profile, call: Syscall) -> String {
    check(profile, &BTreeSet::from([call]), &Environment::default()).unwrap_err().to_string()
}

fn verdict(profile: &Profile, arch: Arch, name: &str, args: [u64; 6]) -> Verdict {
    let resolved = Resolved::new(profile, &Environment::default(), arch.native_of()).unwrap();
    Compiled::new(&resolved, arch).unwrap().verdict(call(arch, name), args)
}

fn recorded() -> Recording {
    let mut recording = run(Arch::X86_64, Some("runc"));
    observe(&mut recording, Arch::X86_64, Phase::RuntimeInit, &["prctl", "setuid"]);
    observe(&mut recording, Arch::X86_64, Phase::Workload, &["read", "newfstatat", "userfaultfd"]);
    observe(&mut recording, Arch::X86, Phase::Workload, &["getpid", "socket", "semget", "_llseek"]);
    observe(&mut recording, Arch::X32, Phase::Workload, &["ioctl", "getpid"]);
    recording
}

#[test]
fn what_was_generated_passes() {
    for baseline in [Baseline::Runc, Baseline::Crun, Baseline::Any, Baseline::None] {
        let generated = generate(&recorded(), &Policy { baseline, ..Policy::default() }).unwrap();
        let report = check(&generated.profile, &generated.added, &Environment::default()).unwrap();
        assert_eq!(report.allowed, generated.added);
        assert!(report.unknown_to_libseccomp.is_empty());
        assert!(report.libseccomp.starts_with("2."), "{}", report.libseccomp);
    }
}

/// On a machine of another kind than the one that is recorded.
#[test]
fn a_profile_for_arm_is_checked_for_arm() {
    let mut recording = run(Arch::Aarch64, None);
    observe(&mut recording, Arch::Arm, Phase::Workload, &["set_tls", "cacheflush", "open"]);
    recording.observe(Syscall::new(Arch::Aarch64, 79), Phase::Workload, Observation::default());
    let generated = generate(&recording, &Policy::default()).unwrap();
    let report = check(&generated.profile, &generated.added, &Environment::default()).unwrap();
    assert_eq!(report.allowed, generated.added);
    assert!(report.allowed.contains(&Syscall::new(Arch::Arm, 0xf_0005)));
}

#[test]
fn a_removed_name_is_found_in_each_abi() {
    let generated = generate(&recorded(), &Policy { baseline: Baseline::None, ..Policy::default() }).unwrap();
    let text = generated.profile.to_json();
    for removed in &generated.added {
        let name = removed.name().unwrap();
        let quoted = format!("\"{name}\"");
        assert_eq!(text.matches(&quoted).count(), 1, "{name}");
        let without = profile(&text.replace(&quoted, "\"no_such_call\""));
        match check(&without, &generated.added, &Environment::default()) {
            Err(ProfileError::Denied(denials)) => {
                assert!(
                    denials.0.iter().any(|denial| denial.call == *removed),
                    "{removed} of {}",
                    removed.arch
                );
                assert!(denials.0.iter().all(|denial| denial.verdict == Verdict::Errno(38)));
                assert!(denials.0.iter().all(|denial| denial.call.name() == Some(name)), "{denials}");
            }
            other => panic!("{removed}: {other:?}"),
        }
    }
}

#[test]
fn a_call_of_an_abi_that_is_not_listed_is_found() {
    let native = profile(
        r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],
            "syscalls":[{"names":["getpid","writev"],"action":"SCMP_ACT_ALLOW"}]}"#,
    );
    let text = "the profile does not allow getpid of x86 (SCMP_ACT_KILL_THREAD)";
    assert_eq!(denied(&native, call(Arch::X86, "getpid")), text);
    assert!(denied(&native, call(Arch::X32, "getpid")).contains("getpid of x32 (SCMP_ACT_KILL"));
    assert!(check(&native, &BTreeSet::from([call(Arch::X86_64, "getpid")]), &Environment::default()).is_ok());
}

#[test]
fn a_name_that_the_base_blocks_is_found_with_its_action() {
    let base = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
        {"names":["read"],"action":"SCMP_ACT_KILL_PROCESS"},
        {"names":["bpf"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_BPF"]}}]}"#;
    let generated =
        generate(&recorded(), &Policy { base: Some(profile(base)), ..Policy::default() }).unwrap();
    let read = call(Arch::X86_64, "read");
    assert!(generated.governed.contains(&read));
    assert!(check(&generated.profile, &generated.added, &Environment::default()).is_ok());
    assert!(denied(&generated.profile, read).contains("read of x86_64 (SCMP_ACT_KILL_PROCESS)"));

    let bpf = BTreeSet::from([call(Arch::X86_64, "bpf")]);
    let mut environment = Environment::default();
    assert!(check(&generated.profile, &bpf, &environment).is_err());
    environment.caps.insert("CAP_BPF".to_owned());
    assert!(check(&generated.profile, &bpf, &environment).is_ok());
}

#[test]
fn several_denials_are_all_named() {
    let calls = BTreeSet::from([
        call(Arch::X86_64, "read"),
        call(Arch::X86, "write"),
        Syscall::new(Arch::X86_64, -1),
    ]);
    let error = check(&rules(""), &calls, &Environment::default()).unwrap_err().to_string();
    let expected = "the profile does not allow syscall_-1 of x86_64 (SCMP_ACT_ERRNO 38), \
                    read of x86_64 (SCMP_ACT_ERRNO 38), write of x86 (SCMP_ACT_ERRNO 38)";
    assert_eq!(error, expected);
}

/// Allowed on paper, denied in a container whose runtime has this libseccomp.
#[test]
fn a_name_that_libseccomp_does_not_know_is_reported_and_is_no_error() {
    let unknown = (0..1024).map(|nr| Syscall::new(Arch::X86_64, nr)).find(|call| {
        let number = libseccomp::ScmpSyscall::from(call.nr.0);
        call.name().is_some() && number.get_name_by_arch(libseccomp::ScmpArch::X8664).is_err()
    });
    let Some(unknown) = unknown else {
        println!("left out: this libseccomp knows every name");
        return;
    };
    let name = unknown.name().unwrap();
    let profile = rules(&format!(r#"{{"names":["{name}","read"],"action":"SCMP_ACT_ALLOW"}}"#));
    let report = check(&profile, &BTreeSet::from([unknown]), &Environment::default()).unwrap();
    assert_eq!((report.unknown_to_libseccomp, report.allowed), (BTreeSet::from([unknown]), BTreeSet::new()));
    assert!(denied(&rules(""), unknown).contains(name), "a profile without the name is at fault itself");
    let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap();
    assert_eq!(*Compiled::new(&resolved, Arch::X86_64).unwrap().skipped(), BTreeSet::from([name.to_owned()]));
}

#[test]
fn conditions_are_those_of_a_runtime() {
    let of =
        |args: &str| rules(&format!(r#"{{"names":["prctl"],"action":"SCMP_ACT_ALLOW","args":[{args}]}}"#));
    let allows =
        |args: &str, values: [u64; 6]| verdict(&of(args), Arch::X86_64, "prctl", values) == Verdict::Allow;
    for (op, equal, less, greater) in [
        ("EQ", true, false, false),
        ("NE", false, true, true),
        ("LT", false, true, false),
        ("LE", true, true, false),
        ("GT", false, false, true),
        ("GE", true, false, true),
    ] {
        // The order is that of 64-bit numbers, so the high halves differ here.
        let arg = format!(r#"{{"index":5,"value":12884901889,"op":"SCMP_CMP_{op}"}}"#);
        for (value, expected) in [(0x3_0000_0001, equal), (0x2_0000_0009, less), (0x4_0000_0000, greater)] {
            assert_eq!(allows(&arg, [0, 0, 0, 0, 0, value]), expected, "{op} {value:#x}");
        }
    }
    let masked = r#"{"index":0,"value":255,"valueTwo":3,"op":"SCMP_CMP_MASKED_EQ"}"#;
    assert!(allows(masked, [0xff03, 0, 0, 0, 0, 0]) && !allows(masked, [0xff0b, 0, 0, 0, 0, 0]));

    let first = r#"{"index":0,"value":1,"op":"SCMP_CMP_EQ"}"#;
    let both = format!(r#"{first},{{"index":1,"value":2,"op":"SCMP_CMP_EQ"}}"#);
    assert!(allows(&both, [1, 2, 0, 0, 0, 0]) && !allows(&both, [1, 3, 0, 0, 0, 0]), "AND of two arguments");
    let same = format!(r#"{first},{{"index":0,"value":7,"op":"SCMP_CMP_EQ"}}"#);
    assert!(allows(&same, [1, 0, 0, 0, 0, 0]) && allows(&same, [7, 0, 0, 0, 0, 0]), "OR on one argument");
}

#[test]
fn of_two_rules_without_conditions_the_first_counts() {
    let allow = r#"{"names":["read"],"action":"SCMP_ACT_ALLOW"}"#;
    let kill = r#"{"names":["read"],"action":"SCMP_ACT_KILL"}"#;
    let of = |first, second| verdict(&rules(&format!("{first},{second}")), Arch::X86_64, "read", [0; 6]);
    assert_eq!(of(allow, kill), Verdict::Allow);
    assert_eq!(of(kill, allow), Verdict::KillThread);
}

#[test]
fn a_rule_that_no_runtime_takes_is_an_error_with_its_place() {
    let args = r#""args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]"#;
    let profile = rules(&format!(
        r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW",{args}}},{{"names":["read"],"action":"SCMP_ACT_KILL",{args}}}"#
    ));
    assert!(
        denied(&profile, call(Arch::X86_64, "read"))
            .starts_with("syscalls[1]: libseccomp refuses the rule for \"read\"")
    );
}

#[test]
fn the_conditions_of_engines_are_evaluated() {
    let of = |condition: &str, environment: &Environment, native| {
        let rule = format!(r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW",{condition}}}"#);
        Resolved::new(&rules(&rule), environment, native).unwrap().rules.len() == 1
    };
    let environment = Environment { kernel: "6.1.0-13-amd64".parse().unwrap(), ..Environment::default() };
    for (condition, amd64, arm64) in [
        (r#""includes":{}"#, true, true),
        (r#""includes":{"arches":["amd64","x32"]}"#, true, false),
        (r#""excludes":{"arches":["arm64"]}"#, true, false),
        (r#""includes":{"minKernel":"6.1"}"#, true, true),
        (r#""includes":{"minKernel":"6.2"}"#, false, false),
        (r#""excludes":{"minKernel":"4.8"}"#, false, false),
        (r#""includes":{"caps":["CAP_CHOWN","CAP_KILL"]}"#, true, true),
        (r#""includes":{"caps":["CAP_CHOWN","CAP_BPF"]}"#, false, false),
        (r#""excludes":{"caps":["CAP_BPF","CAP_CHOWN"]}"#, false, false),
        (r#""excludes":{"caps":["CAP_BPF"]}"#, true, true),
    ] {
        assert_eq!(of(condition, &environment, Arch::X86_64), amd64, "{condition}");
        assert_eq!(of(condition, &environment, Arch::Aarch64), arm64, "{condition}");
    }
}

#[test]
fn the_real_default_profiles_compile_and_work_as_base() {
    let mut bases = real_profiles();
    bases.push(("a fixture".into(), fixture("fixtures/engine-default.json")));
    for (path, text) in bases {
        let policy = Policy { base: Some(profile(&text)), ..Policy::default() };
        let generated = generate(&recorded(), &policy).unwrap();
        let report = check(&generated.profile, &generated.added, &Environment::default())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(report.allowed, generated.added, "{}", path.display());
        let base = check(&profile(&text), &generated.added, &Environment::default());
        assert!(generated.added.is_empty() || base.is_err(), "{}: nothing had to be added", path.display());
    }
}

/// Every named call of the ABIs of an x86 machine.
fn any_call() -> impl Strategy<Value = Syscall> {
    let arches = vec![Arch::X86_64, Arch::X86, Arch::X32];
    (proptest::sample::select(arches), 0..600_i32).prop_map(|(arch, nr)| Syscall::new(arch, nr))
}

fn any_recording() -> impl Strategy<Value = Recording> {
    (btree_set(any_call(), 0..20), btree_set(any_call(), 0..6)).prop_map(|(workload, init)| {
        let mut recording = run(Arch::X86_64, Some("crun"));
        for (calls, phase) in [(workload, Phase::Workload), (init, Phase::RuntimeInit)] {
            calls.into_iter().for_each(|call| recording.observe(call, phase, Observation::default()));
        }
        recording
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn generation_keeps_its_laws(recording in any_recording(), with_base: bool, baseline in 0..4_usize) {
        let base = with_base.then(|| profile(&fixture("fixtures/engine-default.json")));
        let kept = base.as_ref().map_or(&[][..], Profile::rules);
        let baseline = [Baseline::Runc, Baseline::Crun, Baseline::Any, Baseline::None][baseline];
        let generated = generate(&recording, &Policy { base: base.clone(), baseline, ..Policy::default() }).unwrap();

        let (theirs, ours) = generated.profile.rules().split_at(kept.len());
        prop_assert_eq!(theirs, kept);
        let names: Vec<&str> = ours.iter().flat_map(Rule::names).collect();
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        prop_assert!(!kept.iter().flat_map(Rule::names).any(|name| names.contains(&name)));
        prop_assert!(ours.iter().all(|rule| rule.names().next().is_some()));

        let needed: BTreeSet<Syscall> =
            recording.syscalls(Phase::Workload).chain(recording.syscalls(Phase::RuntimeInit)).collect();
        for call in needed {
            let places = [&generated.added, &generated.governed, &generated.unnamed];
            prop_assert_eq!(places.iter().filter(|set| set.contains(&call)).count(), 1, "{}", call);
        }
        let report = check(&generated.profile, &generated.added, &Environment::default()).unwrap();
        let found: BTreeSet<_> = report.allowed.union(&report.unknown_to_libseccomp).copied().collect();
        prop_assert_eq!(found, generated.added);
    }
}

/// What the rules are said to mean against the filters, for every order of three.
#[test]
fn a_rule_without_conditions_beats_those_with_conditions_wherever_it_stands() {
    use seccomp_trace_profile::Decision;

    let rule =
        |action: &str, args: &str| format!(r#"{{"names":["ptrace"],"action":"SCMP_ACT_{action}"{args}}}"#);
    let equal = r#","args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]"#;
    let any = r#","args":[{"index":0,"value":0,"valueTwo":7,"op":"SCMP_CMP_MASKED_EQ"}]"#;
    let rules = [rule("TRAP", equal), rule("ALLOW", ""), rule("KILL", any)];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let text = order.map(|index| rules[index].as_str()).join(",");
        let text = format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{text}]}}"#);
        let profile = Profile::from_json(&text).unwrap();
        let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap();
        let Decision::Fixed(decides) = Decision::of(&resolved, "ptrace") else { panic!("{text}") };
        let filter = Compiled::new(&resolved, Arch::X86_64).unwrap();
        for first in [0, 1, 7] {
            let found = filter.verdict(call(Arch::X86_64, "ptrace"), [first, 0, 0, 0, 0, 0]);
            assert_eq!(found, decides.verdict, "{text} with {first}");
        }
    }
}

/// libseccomp 2.5.4 forgets to load the number of the call where `x86_64` and x32 share a section that begins with a rule
/// for a call which `x86_64` has not, and all others have conditions. The kernel runs that filter, and so must we.
#[test]
fn what_one_filter_of_all_architectures_does_is_what_counts() {
    use seccomp_trace_profile::{Filter, Semantics, check_instances, diff, libseccomp_version};

    let text = r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
        "syscalls":[{"names":["socketcall"],"action":"SCMP_ACT_ERRNO"},
        {"names":["socket"],"action":"SCMP_ACT_ERRNO","args":[{"index":0,"value":38,"op":"SCMP_CMP_EQ"}]}]}"#;
    let wrong = profile(text);
    let right = profile(&text.replace(",\"SCMP_ARCH_X32\"", ""));
    let socket = call(Arch::X86_64, "socket");
    let args = [38, 0, 0, 0, 0, 0];
    for profile in [&wrong, &right] {
        let resolved = Resolved::new(profile, &Environment::default(), Arch::X86_64).unwrap();
        let kernel = Filter::new(&resolved).unwrap().verdict(socket, args);
        let ours = Semantics::compiled(profile, &resolved).unwrap();
        assert_eq!(ours.verdict(socket, args), Some(kernel));
        let checked = check_instances(profile, &[(socket, args)].into(), &Environment::default());
        assert_eq!(checked.is_ok(), kernel.executes());
        let meant = Semantics::new(profile, &resolved).unwrap();
        let same = diff(&meant, &ours).unwrap().is_empty();
        assert_eq!(same, !kernel.executes(), "{kernel}");
        if libseccomp_version().unwrap() == "2.5.4" {
            assert_eq!(same, profile == &right, "it has the defect");
        }
    }
}
