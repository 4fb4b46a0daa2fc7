//! What `seccomp-trace verify --json` says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Finished, finish, seccomp_trace};

/// A command that was run under a profile.
#[derive(Debug)]
pub struct Verified {
    /// How `verify` ended.
    pub finished: Finished,
    /// Its report.
    pub json: Value,
}

/// One entry of a report: the call, its ABI and how often.
pub type Denied = (String, String, u64);

impl Verified {
    /// Reads the report on standard output.
    #[must_use]
    pub fn of(finished: Finished) -> Self {
        let json = serde_json::from_str(&finished.stdout);
        let json = json.unwrap_or_else(|error| panic!("{error}: {finished:#?}"));
        Self { finished, json }
    }

    /// What speaks against the profile.
    #[must_use]
    pub fn denied(&self) -> BTreeSet<Denied> {
        entries(&self.json["denied"])
    }

    /// What was not executed for another reason, with that.
    #[must_use]
    pub fn not_executed(&self) -> BTreeSet<(String, Denied)> {
        let all = self.json["not_executed"].as_array().expect("a list");
        let cause = |entry: &Value| entry["cause"].as_str().expect("a cause").to_owned();
        all.iter().map(|entry| (cause(entry), denied(entry))).collect()
    }

    /// Panics unless nothing was denied, and nothing was left in doubt.
    pub fn assert_nothing(&self, what: &str) {
        assert_eq!(self.denied(), BTreeSet::new(), "{what}: {self:#?}");
        for doubt in ["under_way", "overflow", "unreliable"] {
            assert_eq!(self.json[doubt], 0, "{what}: {doubt}: {self:#?}");
        }
        assert_eq!(self.json["undecided"], Value::Array(Vec::new()), "{what}");
        assert_eq!(self.finished.code(), 0, "{what}: {self:#?}");
    }
}

fn denied(entry: &Value) -> Denied {
    let text = |key: &str| entry[key].as_str().unwrap_or_else(|| panic!("{key} of {entry}")).to_owned();
    (text("syscall"), text("arch"), entry["count"].as_u64().expect("a count"))
}

fn entries(list: &Value) -> BTreeSet<Denied> {
    list.as_array().expect("a list").iter().map(denied).collect()
}

/// Runs a command under a profile. The command must print nothing on standard output.
#[must_use]
pub fn verify(profile: &Path, command: &[&str]) -> Verified {
    verify_with(profile, &[], command)
}

/// The same with options.
#[must_use]
pub fn verify_with(profile: &Path, options: &[&str], command: &[&str]) -> Verified {
    let mut verify = Command::new(seccomp_trace());
    verify.args(["verify", "--json", "--profile"]).arg(profile).args(options).arg("--").args(command);
    Verified::of(finish(&mut verify))
}
