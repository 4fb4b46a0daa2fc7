//! Where runtimes and engines keep what they know.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::names::{self, Named};
use super::state::StateDir;

/// Where containers are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Folders with a folder for each container, and the runtime whose they are.
    roots: Vec<(&'static str, PathBuf)>,
    /// Folders of containers-storage (Podman, CRI-O).
    storages: Vec<PathBuf>,
    /// Docker's folders.
    dockers: Vec<PathBuf>,
}

impl Places {
    /// Those of this machine: of runc, crun and youki, also under Docker, containerd and CRI-O, and of rootless Podman;
    /// names as Podman and Docker keep them.
    #[must_use]
    pub fn system() -> Self {
        let configured = std::env::var_os("CONTAINERS_STORAGE_CONF").map(PathBuf::from);
        Self::below(Path::new("/"), configured.as_deref())
    }

    /// The same below another root, and with another storage.conf than the system's.
    #[must_use]
    pub fn below(root: &Path, storage_conf: Option<&Path>) -> Self {
        let mut roots = vec![
            ("runc", root.join("run/runc")),
            ("crun", root.join("run/crun")),
            ("youki", root.join("run/youki")),
            ("runc", root.join("run/docker/runtime-runc/moby")),
            ("crun", root.join("run/docker/runtime-crun/moby")),
        ];
        // One for each of containerd's namespaces: default, moby, k8s.io.
        roots.extend(folders(&root.join("run/containerd/runc")).into_iter().map(|path| ("runc", path)));
        let users = folders(&root.join("run/user"));
        for user in &users {
            roots.extend(["runc", "crun"].map(|runtime| (runtime, user.join(runtime))));
        }
        let mut storages = vec![graph_root(root, storage_conf)];
        storages.extend(users.iter().filter_map(|user| names::storage_of_user(user)));
        Self { roots, storages, dockers: vec![root.join("var/lib/docker")] }
    }

    /// The containers that runtimes keep a folder of, and the folders that may not be read.
    pub(super) fn state_dirs(&self) -> (Vec<StateDir>, Vec<PathBuf>) {
        let (mut kept, mut unreadable) = (Vec::new(), Vec::new());
        for (runtime, root) in &self.roots {
            match fs::read_dir(root) {
                Ok(entries) => {
                    let dirs = entries.filter_map(|entry| StateDir::new(runtime, entry.ok()?.path()));
                    kept.extend(dirs);
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_) => unreadable.push(root.clone()),
            }
        }
        (kept, unreadable)
    }

    /// The names that engines gave.
    pub(super) fn names(&self) -> Vec<Named> {
        let storages = self.storages.iter().flat_map(|storage| names::of_storage(storage));
        storages.chain(self.dockers.iter().flat_map(|docker| names::of_docker(docker))).collect()
    }
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten();
    let mut found: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    found
}

/// The graph root that storage.conf (containers-storage.conf(5)) names, else the usual one.
fn graph_root(root: &Path, storage_conf: Option<&Path>) -> PathBuf {
    let files = [
        storage_conf.map(Path::to_owned),
        Some(root.join("etc/containers/storage.conf")),
        Some(root.join("usr/share/containers/storage.conf")),
    ];
    let read = files.into_iter().flatten().filter_map(|file| fs::read_to_string(file).ok());
    let mut configured = read.filter_map(|text| configured_graph_root(&text));
    configured.next().unwrap_or_else(|| root.join("var/lib/containers/storage"))
}

/// The value of `graphroot`. Of TOML only the form that everybody writes it in is understood: a line of its own.
pub(super) fn configured_graph_root(text: &str) -> Option<PathBuf> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().strip_prefix('"')?;
        (key.trim() == "graphroot").then(|| value.split_once('"').map(|(path, _)| PathBuf::from(path)))?
    })
}
