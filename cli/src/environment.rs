//! For which container and machine a profile's `includes`, `excludes` and `archMap` are evaluated: what several
//! subcommands share.

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{Context, bail};
use clap::Args;
use seccomp_trace_core::Arch;
use seccomp_trace_profile::{Environment, KernelVersion, Profile};
use serde::Serialize;

use crate::say::say;

/// Every capability (`include/uapi/linux/capability.h`), without `CAP_`.
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The options.
#[derive(Debug, Clone, Args)]
pub(crate) struct EnvironmentArgs {
    /// The container's capabilities, for rules that depend on them: names, `default` (Podman's) or `none`, separated
    /// by commas
    #[arg(long, value_name = "LIST", default_value = "default")]
    caps: String,
    /// The kernel, for rules that depend on it [default: this machine's]
    #[arg(long, value_name = "VERSION")]
    kernel: Option<KernelVersion>,
    /// The machine, for rules and lists of architectures that depend on it: its 64-bit ABI [default: this one]
    #[arg(long, value_name = "ARCH")]
    machine: Option<Arch>,
}

impl EnvironmentArgs {
    /// The container and machine, and the ABI of the machine's kernel.
    pub(crate) fn resolve(&self) -> anyhow::Result<(Environment, Arch)> {
        let mut environment = Environment::default();
        let mut caps = BTreeSet::new();
        for word in self.caps.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "default" => caps.append(&mut environment.caps),
                "none" => {}
                name => {
                    caps.insert(capability(name)?);
                }
            }
        }
        environment.caps = caps;
        if let Some(kernel) = self.kernel {
            environment.kernel = kernel;
        }
        let native = self.machine.or(Arch::native()).context("name the machine with --machine")?;
        if native.native_of() != native {
            bail!("--machine names the ABI of a kernel, x86_64 or aarch64, not {native}");
        }
        Ok((environment, native))
    }
}

/// A capability's full name.
fn capability(text: &str) -> anyhow::Result<String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if !CAPABILITIES.contains(&name) {
        bail!("--caps: unknown capability {text:?} (expected names such as SYS_ADMIN or CAP_SYS_ADMIN)");
    }
    Ok(format!("CAP_{name}"))
}

/// Says what the rules were evaluated for, where any of them depends on it.
pub(crate) fn say(profile: &Profile, environment: &Environment, native: Arch) {
    if let Some(text) = used(profile, environment, native) {
        say!("{text}");
    }
}

/// Says what profiles were evaluated for.
pub(crate) fn say_used(environment: &Environment, native: Arch) {
    say!("{}", Used::new(environment, native));
}

/// What profiles were evaluated for, in reports.
#[derive(Debug, Serialize)]
pub(crate) struct Used {
    machine: Arch,
    kernel: String,
    caps: BTreeSet<String>,
}

impl Used {
    pub(crate) fn new(environment: &Environment, native: Arch) -> Self {
        Self { machine: native, kernel: environment.kernel.to_string(), caps: environment.caps.clone() }
    }
}

impl fmt::Display for Used {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caps: Vec<&str> = self.caps.iter().map(String::as_str).collect();
        let caps = if caps.is_empty() { "none".to_owned() } else { caps.join(" ") };
        write!(f, "rules are evaluated for {}, kernel {}, capabilities {caps}", self.machine, self.kernel)
    }
}

fn used(profile: &Profile, environment: &Environment, native: Arch) -> Option<String> {
    let conditions = profile.rules().iter().flat_map(|rule| [rule.includes(), rule.excludes()]);
    let mut depends = conditions
        .filter(|on| !on.caps().is_empty() || !on.arches().is_empty() || on.min_kernel().is_some())
        .peekable();
    depends.peek()?;
    Some(Used::new(environment, native).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(caps: &str) -> EnvironmentArgs {
        EnvironmentArgs { caps: caps.to_owned(), kernel: None, machine: Some(Arch::X86_64) }
    }

    #[test]
    fn capabilities_are_added_to_the_default_or_to_nothing() {
        let caps = |text: &str| args(text).resolve().unwrap().0.caps;
        assert_eq!(caps("none"), BTreeSet::new());
        assert_eq!(
            caps("sys_admin,CAP_BPF"),
            BTreeSet::from(["CAP_BPF".to_owned(), "CAP_SYS_ADMIN".to_owned()])
        );
        assert_eq!(caps("default,bpf").len(), Environment::default().caps.len() + 1);
        assert!(args("sys_admn").resolve().unwrap_err().to_string().contains("sys_admn"));
    }
}
