//! What the kernel says of a process's privileges.

use std::collections::BTreeMap;
use std::fs;

use nix::unistd::Pid;

use crate::wait_until;

/// `CAP_KILL`, as all of these a bit of `include/uapi/linux/capability.h`.
pub const KILL: u64 = 1 << 5;
/// `CAP_CHOWN`, `CAP_DAC_OVERRIDE`, `CAP_FOWNER`.
pub const FILES: u64 = 1 << 0 | 1 << 1 | 1 << 3;
/// `CAP_SYS_ADMIN`.
pub const SYS_ADMIN: u64 = 1 << 21;
/// `CAP_BPF`.
pub const BPF: u64 = 1 << 39;

/// The lines of `/proc/PID/status` that are about privileges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Privileges(BTreeMap<String, String>);

/// `Groups` and ids are not among them: they are kept.
const LINES: [&str; 7] = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"];

impl Privileges {
    /// Reads what `/proc/PID/status` holds.
    #[must_use]
    pub fn read(status: &str) -> Self {
        let lines = status.lines().filter_map(|line| line.split_once(':'));
        let lines = lines.filter(|(name, _)| LINES.contains(name));
        Self(lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
    }

    /// Those of a process that is confined, when it is: it says so in no other way.
    #[must_use]
    pub fn once_confined(pid: Pid) -> Self {
        let now = || {
            let status = fs::read_to_string(format!("/proc/{pid}/status"));
            Self::read(&status.unwrap_or_else(|error| panic!("process {pid} has ended: {error}")))
        };
        wait_until(&format!("process {pid} to confine itself"), || now().line("Seccomp") == "2");
        now()
    }

    /// Only these capabilities are left, and none can be gained.
    pub fn assert_left(&self, capabilities: u64, context: &str) {
        for set in ["CapEff", "CapPrm"] {
            assert_eq!(self.set(set), capabilities, "{context}: {set} of {self:?}");
        }
        for set in ["CapBnd", "CapAmb", "CapInh"] {
            assert_eq!(self.set(set), 0, "{context}: {set} of {self:?}");
        }
        assert_eq!(self.line("NoNewPrivs"), "1", "{context}: {self:?}");
    }

    /// One line.
    #[must_use]
    pub fn line(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no line {name}: {self:?}"))
    }

    /// A set of capabilities.
    #[must_use]
    pub fn set(&self, name: &str) -> u64 {
        u64::from_str_radix(self.line(name), 16).expect("the kernel prints masks in hexadecimal")
    }
}
