//! On what it was measured, and which programs are there to be compared with.

use std::path::PathBuf;
use std::process::Command;
use std::time::SystemTime;

use libbpf_rs::query::{LinkInfo, LinkInfoIter, LinkTypeInfo};

/// Where a program is, as a shell would find it.
#[must_use]
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The version that a program says it is of, or that it is not there.
#[must_use]
pub fn version(program: &str) -> String {
    let Some(path) = which(program) else { return format!("{program}: not installed") };
    let said = Command::new(path).arg("--version").output();
    let text = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let number = text.split_whitespace().find(|word| word.chars().any(|letter| letter.is_ascii_digit()));
    format!("{program} {}", number.unwrap_or("of no known version").trim_start_matches('v'))
}

/// The date, as `2026-01-31`.
#[must_use]
pub fn date() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take(10).collect()
}

/// One line: processor, CPUs, kernel.
#[must_use]
pub fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let model = field("model name").or_else(|| field("CPU part")).unwrap_or_else(|| "unknown".to_owned());
    let virtual_machine =
        field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    let cpus = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = nix::sys::utsname::uname()
        .map(|name| format!("{} {}", name.release().display(), name.machine().display()))
        .unwrap_or_default();
    let place = if virtual_machine { ", a virtual machine" } else { "" };
    format!("{model}, {cpus} CPUs{place}; Linux {kernel}")
}

/// How many tasks wanted a CPU in the last minute.
#[must_use]
pub fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// How many BPF programs are attached where ours will be: they are paid for by everything that is measured. `None` where
/// the kernel does not tell us.
#[must_use]
pub fn others_at_sys_enter() -> Option<usize> {
    if !seccomp_trace_tests::root() {
        return None;
    }
    let here =
        |link: &LinkInfo| matches!(&link.info, LinkTypeInfo::RawTracepoint(raw) if raw.name == "sys_enter");
    Some(LinkInfoIter::default().filter(here).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::floor::{Asks, Floor};

    /// The oracle is a program that is certainly there. Other tests on the machine attach theirs and take them away.
    #[test]
    fn a_program_at_sys_enter_is_counted() {
        seccomp_trace_tests::privileged!();
        let floors: Vec<_> = (0..40).map(|_| Floor::attach(Asks::Nothing).unwrap()).collect();
        let found = others_at_sys_enter().unwrap();
        assert!(found >= floors.len(), "{found} of {} were found", floors.len());
    }

    #[test]
    fn a_program_that_is_not_there_is_not_found() {
        assert!(which("sh").is_some_and(|path| path.is_absolute()));
        assert_eq!(which("no-such-program"), None);
        assert_eq!(version("no-such-program"), "no-such-program: not installed");
    }
}
