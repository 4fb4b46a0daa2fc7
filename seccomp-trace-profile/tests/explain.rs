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

/// Against the filter: a rule for `socket` is one for `socketcall(1)`, without its condition on the first argument.
#[test]
fn what_i386_makes_through_socketcall_and_ipc_is_said() {
    let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[
        {"names":["read","accept","semop"],"action":"SCMP_ACT_ALLOW"},
        {"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":2,"op":"SCMP_CMP_EQ"}]}]}"#;
    let profile = Profile::from_json(text).unwrap();
    let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap();
    let explained = |name| explain(&profile, &resolved, &[name], &[]).remove(0);
    let lines = |name| -> Vec<String> {
        let line = |arch: &seccomp_trace_profile::ArchVerdict| {
            format!("{} {} {}", arch.arch, arch.verdict, arch.through.as_deref().unwrap_or("itself"))
        };
        explained(name).arches.iter().map(line).collect()
    };
    assert_eq!(lines("accept"), ["x86_64 SCMP_ACT_ALLOW itself", "x86 SCMP_ACT_ALLOW socketcall(5), accept"]);
    assert_eq!(lines("semop"), ["x86_64 SCMP_ACT_ALLOW itself", "x86 SCMP_ACT_ALLOW ipc(1), semop"]);
    let socket = lines("socket");
    assert_eq!(socket.last().unwrap(), "x86 SCMP_ACT_ALLOW socketcall(1), socket");
    assert_eq!(socket[0], "x86_64 by arguments itself");
    let holder = explained("socketcall");
    assert_eq!((holder.arches.len(), holder.arches[0].verdict.as_str()), (21, "by arguments"));
    let conditions: Vec<_> = holder.rules.iter().map(|rule| rule.conditions.as_str()).collect();
    assert_eq!(conditions, ["argument 0 == 5 (accept)", "argument 0 == 1 (socket)"]);
    #[cfg(feature = "libseccomp")]
    {
        let filter = seccomp_trace_profile::Filter::new(&resolved).unwrap();
        for (code, line) in (1..).zip(&holder.arches[1..]) {
            let found = filter.verdict(call(Arch::X86, "socketcall"), [code, 0, 0, 0, 0, 0]);
            assert_eq!(line.verdict, found.to_string(), "{:?}", line.through);
        }
    }

    let text = text.replace(r#""read","#, r#""socketcall","#);
    let profile = Profile::from_json(&text).unwrap();
    let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap();
    let whole = explain(&profile, &resolved, &["socketcall"], &[]).remove(0);
    assert_eq!((whole.arches.len(), whole.rules.len()), (1, 1), "one rule decides about all");
}

/// It drops the bits of a value that are outside its mask (`_db_node_mask_fixup`, `src/db.c`).
#[test]
fn a_masked_condition_is_said_as_libseccomp_makes_it() {
    let said = |mask: u64| {
        let text = format!(
            r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"names":["clone"],"action":"SCMP_ACT_ALLOW",
            "args":[{{"index":0,"value":{mask},"valueTwo":23,"op":"SCMP_CMP_MASKED_EQ"}}]}}]}}"#
        );
        let profile = Profile::from_json(&text).unwrap();
        let resolved = Resolved::new(&profile, &Environment::default(), Arch::X86_64).unwrap();
        let clone = explain(&profile, &resolved, &["clone"], &[]).remove(0);
        (clone.arches[0].verdict.clone(), clone.rules[0].conditions.clone())
    };
    assert_eq!(said(0xf0), ("by arguments".to_owned(), "argument 0 & 0xf0 == 0x10".to_owned()));
    assert_eq!(said(0), ("SCMP_ACT_ALLOW".to_owned(), "argument 0 is anything".to_owned()));
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
