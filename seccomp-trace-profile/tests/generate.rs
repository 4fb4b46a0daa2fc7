//! Recordings and policies to profiles.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::collections::BTreeSet;

use oci_spec::runtime::LinuxSeccomp;
use seccomp_trace_core::{Arch, Observation, Phase, Recording, Syscall};
use seccomp_trace_profile::{
    Action, Baseline, Errno, Generated, Policy, Profile, ProfileError, Reason, Rule, SetupCalls, Warning,
    generate,
};
use support::{call, fixture, observe, real_profiles, run};

/// A container that crun started, with an i386 call and a number without a name.
fn container() -> Recording {
    let mut recording = run(Arch::X86_64, Some("crun"));
    observe(&mut recording, Arch::X86_64, Phase::Setup, &["mount", "pivot_root"]);
    observe(&mut recording, Arch::X86_64, Phase::RuntimeInit, &["prctl", "close", "execve", "setgid"]);
    observe(
        &mut recording,
        Arch::X86_64,
        Phase::Workload,
        &["write", "close", "openat", "rt_sigreturn", "bpf"],
    );
    observe(&mut recording, Arch::X86, Phase::Workload, &["getpid", "_llseek"]);
    recording.observe(Syscall::new(Arch::X86_64, -1), Phase::Workload, Observation::default());
    recording
}

/// A command that this project launched.
fn command() -> Recording {
    let mut recording = run(Arch::X86_64, None);
    observe(&mut recording, Arch::X86_64, Phase::Setup, &["setsid", "dup2"]);
    observe(&mut recording, Arch::X86_64, Phase::Workload, &["write", "close"]);
    recording
}

fn with_base(text: &str) -> Policy {
    Policy { base: Some(Profile::from_json(text).unwrap()), ..Policy::default() }
}

fn ours(profile: &Profile) -> Vec<(Reason, Vec<&str>)> {
    let group = |rule| Some((Reason::from_comment(Rule::comment(rule))?, rule.names().collect()));
    profile.rules().iter().filter_map(group).collect()
}

fn names(profile: &Profile) -> Vec<&str> {
    ours(profile).into_iter().flat_map(|(_, names)| names).collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// To accept a change: `UPDATE_GOLDEN=1 cargo test -p seccomp-trace-profile --test generate`, then read the diff.
fn assert_golden(name: &str, generated: &Generated) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let text = generated.profile.to_json();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{name} differs; if that is intended, run the test with UPDATE_GOLDEN=1");
}

#[test]
fn a_container_gives_the_golden_profile_for_any_runtime() {
    assert_golden("container-any.json", &generate(&container(), &Policy::default()).unwrap());
}

#[test]
fn a_command_for_no_runtime_gives_the_golden_profile() {
    let policy = Policy { baseline: Baseline::None, ..Policy::default() };
    assert_golden("command-none.json", &generate(&command(), &policy).unwrap());
}

#[test]
fn a_container_on_a_base_gives_the_golden_profile() {
    let policy = with_base(&fixture("fixtures/engine-default.json"));
    assert_golden("container-on-base.json", &generate(&container(), &policy).unwrap());
}

/// So that dropping the runtime's groups leaves a profile that still runs the program.
#[test]
fn each_name_is_in_the_first_group_that_has_a_reason_for_it() {
    let generated = generate(&container(), &Policy::default()).unwrap();
    let groups = ours(&generated.profile);
    let reasons: Vec<_> = groups.iter().map(|(reason, _)| reason.clone()).collect();
    assert_eq!(
        reasons,
        [
            Reason::Workload,
            Reason::Always,
            Reason::RuntimeInit(set(&["crun"])),
            Reason::Baseline(set(&["crun"])),
            Reason::Baseline(set(&["crun", "runc"])),
            Reason::Baseline(set(&["runc"])),
        ]
    );
    assert_eq!(groups[0].1, ["_llseek", "bpf", "close", "getpid", "openat", "rt_sigreturn", "write"]);
    assert_eq!(
        groups[1].1,
        ["execve", "exit", "exit_group", "getcpu", "gettimeofday", "restart_syscall", "sigreturn", "time"]
    );
    assert_eq!(groups[2].1, ["prctl", "setgid"]);
    let all = names(&generated.profile);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "a name is there twice");
    assert!(groups.iter().all(|(_, names)| !names.is_empty() && names.is_sorted()));
    assert_eq!(generated.unnamed, BTreeSet::from([Syscall::new(Arch::X86_64, -1)]));
}

#[test]
fn the_default_is_an_errno_that_libraries_fall_back_on() {
    let profile = generate(&command(), &Policy::default()).unwrap().profile;
    assert_eq!((profile.default_action(), profile.default_errno()), (Action::Errno, Some(38)));
    let policy = Policy { errno: Some(Errno::EPERM), ..Policy::default() };
    assert_eq!(generate(&command(), &policy).unwrap().profile.default_errno(), Some(1));
}

#[test]
fn the_errno_of_a_base_is_kept_unless_the_policy_has_another() {
    let errno = |base: &str, errno| {
        let policy = Policy { errno, ..with_base(base) };
        let generated = generate(&command(), &policy).unwrap();
        let value: serde_json::Value = serde_json::from_str(&generated.profile.to_json()).unwrap();
        (
            value["defaultErrnoRet"].as_u64(),
            value["defaultErrno"].as_str().map(str::to_owned),
            generated.warnings,
        )
    };
    let docker = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1}"#;
    assert_eq!(errno(docker, None), (Some(1), None, vec![]));
    assert_eq!(errno(docker, Some(Errno::ENOSYS)), (Some(38), None, vec![]));
    let podman = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"defaultErrno":"ENOSYS"}"#;
    assert_eq!(errno(podman, Some(Errno::EPERM)), (Some(1), Some("EPERM".to_owned()), vec![]));
    let kill = r#"{"defaultAction":"SCMP_ACT_KILL"}"#;
    assert_eq!(errno(kill, None), (Some(38), None, vec![Warning::DefaultAction { was: Action::Kill }]));
}

#[test]
fn the_architectures_are_the_native_one_and_those_that_were_used() {
    let tokens = |recording: &Recording, policy: &Policy| {
        let profile = generate(recording, policy).unwrap().profile;
        let tokens = profile.architectures().iter().map(|token| token.as_str()).collect::<Vec<_>>();
        (tokens, profile)
    };
    assert_eq!(tokens(&command(), &Policy::default()).0, ["SCMP_ARCH_X86_64"]);
    assert_eq!(tokens(&container(), &Policy::default()).0, ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]);

    let mut arm_only = Recording::default();
    observe(&mut arm_only, Arch::Arm, Phase::Workload, &["set_tls"]);
    assert_eq!(tokens(&arm_only, &Policy::default()).0, ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"]);

    let listed = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_S390X","SCMP_ARCH_X86"]}"#;
    let expected = ["SCMP_ARCH_S390X", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64"];
    assert_eq!(tokens(&container(), &with_base(listed)).0, expected);
}

/// Podman refuses a file with both.
#[test]
fn a_base_with_an_arch_map_gets_them_there() {
    let sub = |profile: &Profile, index: usize| {
        let entry = &profile.arch_map()[index];
        let subs: Vec<_> = entry.sub_architectures().iter().map(|token| token.as_str()).collect();
        (entry.architecture().as_str(), subs)
    };
    let profile =
        generate(&container(), &with_base(&fixture("fixtures/engine-default.json"))).unwrap().profile;
    assert!(profile.architectures().is_empty());
    assert_eq!(sub(&profile, 0), ("SCMP_ARCH_X86_64", vec!["SCMP_ARCH_X32", "SCMP_ARCH_X86"]));

    let other = r#"{"defaultAction":"SCMP_ACT_ERRNO","archMap":[{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":null}]}"#;
    let profile = generate(&container(), &with_base(other)).unwrap().profile;
    assert_eq!(sub(&profile, 0), ("SCMP_ARCH_AARCH64", vec![]));
    assert_eq!(sub(&profile, 1), ("SCMP_ARCH_X86_64", vec!["SCMP_ARCH_X86"]));

    let both = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],
        "archMap":[{"architecture":"SCMP_ARCH_X86_64"}]}"#;
    assert!(matches!(generate(&container(), &with_base(both)), Err(ProfileError::BothArchLists)));
}

#[test]
fn a_base_decides_about_every_name_that_it_mentions() {
    let base = fixture("fixtures/engine-default.json");
    let generated = generate(&container(), &with_base(&base)).unwrap();
    let base = Profile::from_json(&base).unwrap();
    assert_eq!(generated.profile.rules()[..base.rules().len()], *base.rules());
    let governed: BTreeSet<_> =
        ["write", "openat", "bpf"].into_iter().map(|name| call(Arch::X86_64, name)).collect();
    assert_eq!(generated.governed, governed);
    assert!(generated.added.is_disjoint(&governed));
    let names = names(&generated.profile);
    assert!(["read", "write", "openat", "bpf", "socket", "capset"].iter().all(|name| !names.contains(name)));
    assert_eq!(
        generated.warnings,
        [
            Warning::SocketOfI386,
            Warning::BlockedByBase {
                names: vec!["capset".to_owned()],
                reason: Reason::Baseline(set(&["crun", "runc"]))
            },
        ]
    );
}

#[test]
fn a_base_that_has_everything_gets_no_rule() {
    let first = generate(&command(), &Policy::default()).unwrap().profile;
    let again = generate(&command(), &Policy { base: Some(first.clone()), ..Policy::default() }).unwrap();
    assert_eq!(again.profile.to_json(), first.to_json());
    assert!(again.added.is_empty());
}

#[test]
fn the_real_default_profiles_work_as_base() {
    for (path, text) in real_profiles() {
        let base = Profile::from_json(&text).unwrap();
        let mut recording = container();
        observe(&mut recording, Arch::X86_64, Phase::Workload, &["userfaultfd", "vmsplice"]);
        let generated = generate(&recording, &with_base(&text)).unwrap();
        assert_eq!(generated.profile.rules()[..base.rules().len()], *base.rules(), "{}", path.display());
        assert_eq!(Profile::from_json(&generated.profile.to_json()).unwrap(), generated.profile);
        let value: serde_json::Value = serde_json::from_str(&generated.profile.to_json()).unwrap();
        assert!(value.get("architectures").is_none() || value.get("archMap").is_none(), "{}", path.display());
        if !text.contains("\"name\":") {
            serde_json::from_value::<LinuxSeccomp>(value).unwrap();
        }
    }
}

#[test]
fn another_implementation_reads_what_was_generated() {
    let generated = generate(&container(), &Policy::default()).unwrap();
    let theirs: LinuxSeccomp = serde_json::from_str(&generated.profile.to_json()).unwrap();
    assert_eq!(theirs.default_errno_ret(), Some(38));
    assert_eq!(theirs.architectures().as_ref().unwrap().len(), 2);
    let names: Vec<_> = theirs.syscalls().iter().flatten().flat_map(|rule| rule.names().clone()).collect();
    assert_eq!(names, self::names(&generated.profile));
}

/// What this project does before the command's exec is no need of the command.
#[test]
fn the_setup_of_a_command_never_counts() {
    for recording in [command(), {
        let mut both = command();
        both.merge(container_without_filter());
        both
    }] {
        let generated = generate(&recording, &Policy::default()).unwrap();
        assert!(names(&generated.profile).iter().all(|name| !["setsid", "dup2", "mount"].contains(name)));
    }
}

fn container_without_filter() -> Recording {
    let mut recording = run(Arch::X86_64, Some("runc"));
    observe(&mut recording, Arch::X86_64, Phase::Setup, &["mount"]);
    observe(&mut recording, Arch::X86_64, Phase::Workload, &["write"]);
    recording
}

#[test]
fn the_setup_of_a_container_counts_where_no_filter_was_seen() {
    let generated = generate(&container_without_filter(), &Policy::default()).unwrap();
    assert_eq!(ours(&generated.profile)[2], (Reason::RuntimeInit(set(&["runc"])), vec!["mount"]));
    assert!(!names(&generate(&container(), &Policy::default()).unwrap().profile).contains(&"mount"));
    let policy = Policy { setup: SetupCalls::Never, ..Policy::default() };
    assert!(!names(&generate(&container_without_filter(), &policy).unwrap().profile).contains(&"mount"));
}

#[test]
fn a_runtimes_name_cannot_break_the_comment() {
    let policy = Policy { runtime: Some("cr)un, x - \n".to_owned()), ..Policy::default() };
    let generated = generate(&container(), &policy).unwrap();
    assert!(
        ours(&generated.profile).iter().any(|(reason, _)| *reason == Reason::RuntimeInit(set(&["crunx-"])))
    );
}

/// What must be found allowed is what was recorded, and what is always allowed in every ABI that has it.
#[test]
fn everything_that_was_added_is_listed() {
    let added = generate(&container(), &Policy::default()).unwrap().added;
    for (arch, name) in [
        (Arch::X86_64, "bpf"),
        (Arch::X86, "getpid"),
        (Arch::X86, "sigreturn"),
        (Arch::X86, "exit"),
        (Arch::X86_64, "time"),
        (Arch::X86_64, "setgid"),
        (Arch::X86_64, "fstatfs"),
    ] {
        assert!(added.contains(&call(arch, name)), "{arch} {name}");
    }
    assert!(!added.contains(&call(Arch::X86_64, "getpid")) || names_of_baseline().contains("getpid"));
}

fn names_of_baseline() -> BTreeSet<&'static str> {
    Baseline::Any.runtimes().flat_map(|runtime| runtime.entries).map(|entry| entry.name).collect()
}

#[test]
fn the_same_input_gives_the_same_bytes_in_whatever_order_it_came() {
    let (mut one, mut two) = (container(), command());
    one.merge(command());
    two.merge(container());
    let text = |recording| generate(recording, &Policy::default()).unwrap().profile.to_json();
    assert_eq!(text(&one), text(&two));
}

#[test]
fn every_warning_is_a_sentence_with_its_facts() {
    let mut recording = command();
    observe(&mut recording, Arch::X86_64, Phase::Workload, &["io_uring_setup"]);
    let mut warnings = generate(&recording, &Policy::default()).unwrap().warnings;
    let base = r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_ALLOW"},
        {"names":["exit","execve"],"action":"SCMP_ACT_KILL"}]}"#;
    warnings.extend(generate(&run(Arch::Aarch64, None), &with_base(base)).unwrap().warnings);
    let texts: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    for (text, part) in texts.iter().zip([
        "io_uring_setup was recorded",
        "no syscall of a workload",
        "default action was SCMP_ACT_ALLOW",
        "syscalls[0] has no names",
        "denies what every program may need: execve, exit",
        "denies calls that crun and runc must make to start a container: execve",
    ]) {
        assert!(text.contains(part), "{text:?} has no {part:?}");
    }
    assert_eq!(texts.len(), 6, "{texts:#?}");
}

/// Old calls fail as users expect, and C libraries fall back from new ones, also on i386.
#[test]
fn calls_that_a_kernel_has_fail_with_eperm_and_newer_ones_with_enosys() {
    let policy = Policy { eperm_known: "3.2".parse().ok(), ..Policy::default() };
    let profile = generate(&container(), &policy).unwrap().profile;
    assert_eq!(profile.default_errno(), Some(38));
    let rule = profile.rules().last().unwrap();
    assert_eq!((rule.action(), rule.errno()), (Action::Errno, Some(1)));
    assert_eq!(Reason::from_comment(rule.comment()), Some(Reason::Denied));
    let names: BTreeSet<&str> = rule.names().collect();
    for denied in ["ptrace", "kexec_load", "pipe2", "fork", "_newselect"] {
        assert!(names.contains(denied), "{denied}");
    }
    let allowed: BTreeSet<&str> =
        profile.rules().iter().filter(|rule| rule.action() == Action::Allow).flat_map(Rule::names).collect();
    assert_eq!(names.intersection(&allowed).collect::<Vec<_>>(), Vec::<&&str>::new());
    // New, gone from every kernel, holding others, of another architecture.
    for other in ["clone3", "statx", "getrandom", "create_module", "socketcall", "s390_runtime_instr"] {
        assert!(!names.contains(other), "{other}");
    }
    let base =
        r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["ptrace"],"action":"SCMP_ACT_KILL"}]}"#;
    let based = Policy { eperm_known: policy.eperm_known, ..with_base(base) };
    let generated = generate(&container(), &based).unwrap();
    assert!(!generated.profile.rules().last().unwrap().names().any(|name| name == "ptrace"), "BASE decides");
}
