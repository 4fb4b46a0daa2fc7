//! Profiles as files: read as JSON by a test's own eyes, not by the code that wrote them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// A profile that was there before, and nobody writes.
pub const OLD_PROFILE: &str = r#"{"defaultAction":"SCMP_ACT_ERRNO","comment":"the old one"}"#;

/// A profile that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileFile {
    /// The whole of it.
    pub json: Value,
}

impl ProfileFile {
    /// Reads a complete profile; panics where there is none.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        let bytes =
            fs::read(path).unwrap_or_else(|error| panic!("no profile at {}: {error}", path.display()));
        let json = serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            panic!("{}: {error}\n{}", path.display(), String::from_utf8_lossy(&bytes))
        });
        let profile = Self { json };
        assert!(profile.json["defaultAction"].is_string(), "{} is no profile: {profile:?}", path.display());
        profile
    }

    /// Reads a profile that was to take the place of [`OLD_PROFILE`]; `None` where that is there still.
    #[must_use]
    pub fn read_if_new(path: &Path) -> Option<Self> {
        let text = fs::read_to_string(path).expect("the old or a new profile");
        (text != OLD_PROFILE).then(|| Self::read(path))
    }

    /// Its rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Value] {
        self.json["syscalls"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The names that the workload was seen to call.
    #[must_use]
    pub fn workload(&self) -> BTreeSet<String> {
        self.names(|rule| {
            rule["comment"].as_str().is_some_and(|text| text.starts_with("seccomp-trace: workload"))
        })
    }

    /// The names in rules that allow something.
    #[must_use]
    pub fn allowed(&self) -> BTreeSet<String> {
        self.names(|rule| rule["action"] == "SCMP_ACT_ALLOW")
    }

    fn names(&self, of: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let rules = self.rules().iter().filter(|rule| of(rule));
        let names =
            rules.flat_map(|rule| rule["names"].as_array().into_iter().flatten().chain(rule.get("name")));
        names.map(|name| name.as_str().expect("a name is a string").to_owned()).collect()
    }

    /// Whether every one of these names is among the workload's.
    #[must_use]
    pub fn workload_has(&self, names: &[&str]) -> bool {
        let workload = self.workload();
        names.iter().all(|name| workload.contains(*name))
    }

    /// Writes the profile without one name, whatever rule it is in.
    pub fn write_without(&self, name: &str, path: &Path) {
        let mut json = self.json.clone();
        for rule in json["syscalls"].as_array_mut().expect("rules") {
            if let Some(names) = rule["names"].as_array_mut() {
                names.retain(|other| other != name);
            }
        }
        json["syscalls"]
            .as_array_mut()
            .expect("rules")
            .retain(|rule| rule["names"] != Value::Array(Vec::new()));
        fs::write(path, json.to_string()).expect("a file in a folder of ours");
    }
}
