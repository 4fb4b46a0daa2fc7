//! The names that engines give to containers, and the images they are of.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};
use serde::Deserialize;

/// A container as its engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) names: Vec<String>,
    pub(super) image: Option<String>,
}

/// An entry of `containers.json`: `Container` in containers-storage's `containers.go`.
#[derive(Deserialize)]
struct Stored {
    id: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    image: String,
}

/// Docker's `config.v2.json`.
#[derive(Deserialize)]
struct Docker {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Name", default)]
    name: String,
    #[serde(rename = "Image", default)]
    image: String,
}

/// What a containers-storage holds, whatever its driver. A file that cannot be read or understood names nobody.
pub(super) fn of_storage(storage: &Path) -> Vec<Named> {
    let mut found = Vec::new();
    for folder in entries(storage) {
        // overlay-containers, vfs-containers, …
        if !folder.to_string_lossy().ends_with("-containers") {
            continue;
        }
        let stored = read::<Vec<Stored>>(&folder.join("containers.json")).unwrap_or_default();
        found.extend(stored.into_iter().map(|stored| Named {
            id: stored.id,
            names: stored.names,
            image: some(stored.image),
        }));
    }
    found
}

/// What Docker holds.
pub(super) fn of_docker(docker: &Path) -> Vec<Named> {
    let files = entries(&docker.join("containers")).into_iter().map(|folder| folder.join("config.v2.json"));
    let read = files.filter_map(|file| read::<Docker>(&file));
    read.map(|docker| Named {
        id: docker.id,
        names: vec![docker.name.trim_start_matches('/').to_owned()],
        image: some(docker.image),
    })
    .collect()
}

/// The storage of a user, whose runtime directory (`/run/user/UID`) is given.
pub(super) fn storage_of_user(runtime_directory: &Path) -> Option<PathBuf> {
    let uid = runtime_directory.file_name()?.to_str()?.parse().ok()?;
    let user = User::from_uid(Uid::from_raw(uid)).ok()??;
    Some(user.dir.join(".local/share/containers/storage"))
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn read<T: for<'de> Deserialize<'de>>(file: &Path) -> Option<T> {
    serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}
