//! `seccomp-trace doctor`: can this machine trace?

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Context;
use seccomp_trace_bpf::config::{lacking, refuse};
use seccomp_trace_bpf::probe::{BtfFacts, Facts};
use seccomp_trace_bpf::{Error, LaunchError, Tracer};
use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Phase, Session, Target};
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
    let text = if args.json { serde_json::to_string_pretty(&report)? + "\n" } else { text(&report) };
    std::io::stdout().lock().write_all(text.as_bytes()).context("cannot write to standard output")?;
    Ok(if report.can_trace { Exit::SUCCESS } else { Exit::FOUND })
}

fn examine() -> Report {
    let facts = Facts::read();
    let mut checks = static_checks(&facts);
    let trial = try_it(&facts);
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
            "run as root, or give the binary the capabilities: setcap cap_bpf,cap_perfmon+ep FILE",
        ),
        check(
            "CAP_PERFMON",
            facts.may_trace(),
            yes_no(facts.may_trace()),
            "run as root, or give the binary the capabilities: setcap cap_bpf,cap_perfmon+ep FILE",
        ),
        check(
            "initial user namespace",
            facts.initial_user_namespace != Some(false),
            facts.initial_user_namespace.map_or_else(|| "unknown".to_owned(), yes_no),
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
fn try_it(facts: &Facts) -> Check {
    let fact = "tracing a command";
    if refuse(facts).is_some() {
        return Check { fact, ok: false, value: "not tried".to_owned(), remedy: None };
    }
    let result = trace_true().map_err(|error| format!("{:#}", anyhow::Error::new(error)));
    let (ok, value, remedy) = match result {
        Ok(Some(0)) => (false, "no syscalls were recorded".to_owned(), None),
        Ok(Some(calls)) => (true, format!("{calls} syscalls recorded"), None),
        Ok(None) => {
            (true, "the programs load; not tried on a command: there is no `true` in PATH".to_owned(), None)
        }
        Err(text) => match text.split_once("; ") {
            Some((fact, remedy)) => (false, fact.to_owned(), Some(remedy.to_owned())),
            None => (false, text, None),
        },
    };
    Check { fact, ok, value, remedy }
}

/// How many syscalls `true` makes; `None` where there is no such command.
fn trace_true() -> Result<Option<usize>, Error> {
    let tracer = Tracer::builder().load()?;
    let mut session = match tracer.observe(Target::Command(CommandSpec::new("true"))) {
        Err(Error::Launch(LaunchError::NotFound { .. })) => return Ok(None),
        other => other?,
    };
    while !session.poll(None, &mut NoSink)? {}
    Ok(Some(session.finish(Ended::TargetEnded)?.syscalls(Phase::Workload).count()))
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for check in &report.checks {
        let _ =
            writeln!(text, "{} {:24} {}", if check.ok { "ok  " } else { "FAIL" }, check.fact, check.value);
        if let Some(remedy) = &check.remedy {
            let _ = writeln!(text, "     {:24} -> {remedy}", "");
        }
    }
    let _ = writeln!(text, "This machine {} trace.", if report.can_trace { "can" } else { "cannot" });
    text
}
