//! `seccomp-trace doctor`: can this machine trace?

use seccomp_trace_bpf::Tracer;
use seccomp_trace_bpf::config::{lacking, refuse};
use seccomp_trace_bpf::probe::{BtfFacts, Facts};
use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Phase, Session, Syscall, Target};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::exit::Exit;

/// One fact, whether it is as it must be, and what to do where it is not.
#[derive(Debug, Serialize)]
struct Check {
    fact: &'static str,
    ok: bool,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    can_trace: bool,
    checks: Vec<Check>,
}

/// Runs `seccomp-trace doctor`.
pub(crate) fn doctor(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let report = examine();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.can_trace { Exit::SUCCESS } else { Exit::FOUND })
}

fn examine() -> Report {
    let facts = Facts::read();
    let mut checks = static_checks(&facts);
    let trial = try_it();
    let can_trace = trial.ok;
    checks.push(trial);
    Report { can_trace, checks }
}

fn static_checks(facts: &Facts) -> Vec<Check> {
    let yes_no = |yes| if yes { "yes" } else { "no" }.to_owned();
    let check =
        |fact, ok, value, remedy: &str| Check { fact, ok, value, remedy: (!ok).then(|| remedy.to_owned()) };
    let btf = BtfFacts::read();
    let lacks = btf.as_ref().map(lacking).unwrap_or_default();
    let locked = facts.lockdown.as_deref() == Some("confidentiality");
    vec![
        check(
            "kernel",
            btf.is_none() || lacks.is_empty(),
            format!(
                "{} {}{}",
                facts.kernel,
                std::env::consts::ARCH,
                lacks.iter().map(|l| format!(", lacks {l}")).collect::<String>()
            ),
            "use Linux 5.13 or newer with CONFIG_BPF_SYSCALL, CONFIG_BPF_EVENTS and CONFIG_SECCOMP_FILTER",
        ),
        check(
            "BTF",
            btf.is_some(),
            yes_no(btf.is_some()),
            "use a kernel built with CONFIG_DEBUG_INFO_BTF, and mount sysfs on /sys",
        ),
        check(
            "CAP_BPF",
            facts.may_bpf(),
            yes_no(facts.may_bpf()),
            "run as root, or setcap cap_bpf,cap_perfmon+ep",
        ),
        check(
            "CAP_PERFMON",
            facts.may_trace(),
            yes_no(facts.may_trace()),
            "run as root, or setcap cap_bpf,cap_perfmon+ep",
        ),
        check(
            "initial user namespace",
            facts.initial_user_namespace,
            yes_no(facts.initial_user_namespace),
            "run as root of the host, not of a user namespace",
        ),
        check(
            "lockdown",
            !locked,
            facts.lockdown.clone().unwrap_or_else(|| "none".to_owned()),
            "boot without lockdown=confidentiality",
        ),
        libseccomp(),
    ]
}

fn libseccomp() -> Check {
    let remedy = "install libseccomp 2.5 or newer".to_owned();
    match seccomp_trace_profile::libseccomp_version() {
        Ok(version) => Check { fact: "libseccomp", ok: true, value: version, remedy: None },
        Err(error) => Check { fact: "libseccomp", ok: false, value: error.to_string(), remedy: Some(remedy) },
    }
}

/// The proof: a command is traced, and a call that it certainly makes is found.
fn try_it() -> Check {
    let result =
        if let Some(refusal) = refuse(&Facts::read()) { Err(refusal.to_string()) } else { trace_true() };
    let (ok, value, remedy) = match result {
        Ok(calls) => (true, format!("{calls} syscalls recorded"), None),
        Err(text) => match text.split_once("; ") {
            Some((fact, remedy)) => (false, fact.to_owned(), Some(remedy.to_owned())),
            None => (false, text, None),
        },
    };
    Check { fact: "tracing a command", ok, value, remedy }
}

fn trace_true() -> Result<usize, String> {
    let trace = || {
        let tracer = Tracer::builder().load()?;
        let mut session = tracer.observe(Target::Command(CommandSpec::new("true")))?;
        while !session.poll(None, &mut NoSink)? {}
        session.finish(Ended::TargetEnded)
    };
    let recording =
        trace().map_err(|error: seccomp_trace_bpf::Error| format!("{:#}", anyhow::Error::new(error)))?;
    let calls: Vec<_> = recording.syscalls(Phase::Workload).filter_map(Syscall::name).collect();
    if calls.contains(&"exit_group") {
        Ok(calls.len())
    } else {
        Err("a traced command made no syscalls".to_owned())
    }
}

fn print(report: &Report) {
    for check in &report.checks {
        println!("{} {:24} {}", if check.ok { "ok  " } else { "FAIL" }, check.fact, check.value);
        if let Some(remedy) = &check.remedy {
            println!("     {:24} -> {remedy}", "");
        }
    }
    println!("{}", if report.can_trace { "This machine can trace." } else { "This machine cannot trace." });
}
