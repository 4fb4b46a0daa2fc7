//! What is said about a call, and the table of groups against systemd itself.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod support;

use std::process::Command;

use seccomp_trace_core::{Arch, Comm, FirstSeen, Observation, Phase, Tgid, Tid, Timestamp};
use seccomp_trace_profile::{Environment, Explanation, Group, Profile, Resolved, SYSTEMD_VERSION, explain};
use support::{call, fixture, run};

fn explained(name: &str) -> Explanation {
    let profile = Profile::from_json(&fixture("fixtures/export.json")).unwrap();
    let environment = Environment::default();
    let resolved = Resolved::new(&profile, &environment, Arch::X86_64).unwrap();
    let mut recording = run(Arch::X86_64, None);
    let comm = Comm::parse("sh").unwrap();
    let first = FirstSeen { time: Timestamp::from_unix_nanos(5), pid: Tgid(7), tid: Tid(7), comm };
    recording.observe(
        call(Arch::X86_64, "read"),
        Phase::Workload,
        Observation { first: Some(first), ..Observation::default() },
    );
    explain(&profile, &resolved, &[name], &[recording]).remove(0)
}

#[test]
fn an_allowed_call_has_its_rule_reason_groups_and_first_caller() {
    let read = explained("read");
    let verdicts: Vec<_> = read.arches.iter().map(|a| (a.arch, a.nr, a.verdict.as_str())).collect();
    assert_eq!(verdicts, [(Arch::X86_64, 0, "SCMP_ACT_ALLOW"), (Arch::X86, 3, "SCMP_ACT_ALLOW")]);
    assert_eq!((read.rules[0].index, read.rules[0].reason.as_deref()), (0, Some("the program called it")));
    assert_eq!(read.groups, ["@basic-io", "@system-service"]);
    assert_eq!(read.seen.len(), 1);
    assert_eq!(read.seen[0].first.unwrap().pid, Tgid(7));
    assert_eq!(read.seen[0].runs.len(), 1);
    assert_eq!(read.danger, None);
}

#[test]
fn conditions_the_default_and_dangers_are_said() {
    let socket = explained("socket");
    assert_eq!(socket.arches[0].verdict, "by arguments");
    let conditions: Vec<_> = socket.rules.iter().map(|rule| rule.conditions.as_str()).collect();
    assert_eq!(conditions, ["argument 0 == 1", "argument 0 == 2"]);
    let ptrace = explained("ptrace");
    assert_eq!((ptrace.arches[0].verdict.as_str(), ptrace.rules.len()), ("SCMP_ACT_ERRNO 38", 0));
    assert_eq!(ptrace.danger, None, "it is denied");
    assert!(explained("io_uring_setup").danger.unwrap().contains("no seccomp filter"));
    assert!(explained("capset").rules[0].reason.as_deref().unwrap().starts_with("crun: sets"));
    assert!(explained("rt_sigreturn").rules[0].reason.as_deref().unwrap().contains("signal handler"));
}

/// The groups are facts about another program: it is asked.
#[test]
fn the_groups_are_those_of_systemd() {
    let Ok(output) = Command::new("systemd-analyze").args(["syscall-filter", "--no-pager"]).output() else {
        return println!("left out: systemd-analyze is not installed");
    };
    let version = Command::new("systemd-analyze").arg("--version").output().unwrap().stdout;
    let version = String::from_utf8(version).unwrap();
    if version.split_whitespace().nth(1) != Some(&SYSTEMD_VERSION.to_string()) {
        return println!("left out: this is not systemd {SYSTEMD_VERSION} but {version}");
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let mut group = None;
    let mut found = 0;
    for line in text.lines() {
        if line.starts_with('@') {
            group = Group::named(line);
            assert!(group.is_some() || line == "@known", "{line}");
        } else if let (Some(group), [name]) = (group, &line.split_whitespace().collect::<Vec<_>>()[..]) {
            let inside = match name.strip_prefix('@') {
                Some(_) => Group::named(name).unwrap().calls().is_subset(group.calls()),
                None => group.calls().contains(name),
            };
            assert!(inside, "{name} in {}", group.name());
            found += 1;
        }
    }
    assert!(found > 400, "only {found}");
}
