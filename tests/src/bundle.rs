//! Containers without an engine: a bundle with hooks in its `config.json`, run by a runtime itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::finish;
use crate::podman::{installed, unpack_rootfs};

/// A bundle: a folder with `config.json` and a root file system.
#[derive(Debug)]
pub struct Bundle {
    folder: PathBuf,
    config: Value,
}

impl Bundle {
    /// Makes a bundle in a folder that does not exist yet. Its process runs `args`; nothing filters it.
    #[must_use]
    pub fn make(folder: &Path, args: &[&str]) -> Self {
        fs::create_dir(folder).expect("a folder in a folder of ours");
        unpack_rootfs(&folder.join("rootfs"));
        let spec = finish(Command::new(installed("runc")).current_dir(folder).arg("spec")).success();
        let path = folder.join("config.json");
        let text = fs::read(&path).unwrap_or_else(|error| panic!("runc spec: {error} {spec:?}"));
        let mut config: Value = serde_json::from_slice(&text).expect("runc writes JSON");
        config["process"]["terminal"] = json!(false);
        config["process"]["args"] = json!(args);
        // Limits cannot be raised everywhere.
        config["process"]["rlimits"] = json!([]);
        config["root"]["readonly"] = json!(false);
        Self { folder: folder.to_owned(), config }
    }

    /// Adds a hook at each of these stages.
    #[must_use]
    pub fn hook(mut self, path: &Path, args: &[String], stages: &[&str]) -> Self {
        for stage in stages {
            let hooks = &mut self.config["hooks"][*stage];
            if hooks.is_null() {
                *hooks = json!([]);
            }
            hooks.as_array_mut().expect("a list").push(json!({ "path": path, "args": args }));
        }
        self
    }

    /// Mounts a folder of the host.
    #[must_use]
    pub fn mount(mut self, source: &Path, destination: &str) -> Self {
        let mount = json!({ "source": source, "destination": destination, "type": "bind", "options": ["bind", "rw"] });
        self.config["mounts"].as_array_mut().expect("a list").push(mount);
        self
    }

    /// Leaves the container in the host's namespace of this type.
    #[must_use]
    pub fn without_namespace(mut self, kind: &str) -> Self {
        let namespaces = self.config["linux"]["namespaces"].as_array_mut().expect("a list");
        namespaces.retain(|namespace| namespace["type"] != kind);
        self
    }

    /// Sets an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.config["annotations"][key] = json!(value);
        self
    }

    /// Sets the seccomp profile.
    #[must_use]
    pub fn seccomp(mut self, profile: &Value) -> Self {
        self.config["linux"]["seccomp"] = profile.clone();
        self
    }

    /// Writes `config.json`; gives the folder.
    #[must_use]
    pub fn write(&self) -> &Path {
        fs::write(self.folder.join("config.json"), self.config.to_string())
            .expect("a file in a folder of ours");
        &self.folder
    }
}
