//! Finds a running container by its id or name, in the files that runtimes and engines keep. Nobody is asked: an
//! engine's daemon may be busy, or may not be there.

mod names;
mod places;
mod state;

use std::io;
use std::path::PathBuf;

use names::Named;
pub use places::Places;
use seccomp_trace_core::{Container, RunningSpec, Runtime, Tgid};
use state::StateDir;

use crate::shared::proc;

/// Why a container was not found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// Nobody knows it.
    #[error(
        "there is no running container {wanted:?}{}; give an id or a name that `podman ps` or `docker ps` lists",
        shown(unreadable)
    )]
    NotFound {
        /// What was looked for.
        wanted: String,
        /// Folders of runtimes that may not be read.
        unreadable: Vec<PathBuf>,
    },
    /// It can mean several.
    #[error("{wanted:?} can mean several containers: {}; give more of the id", ids.join(", "))]
    Ambiguous {
        /// What was looked for.
        wanted: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// It is known and does not run.
    #[error("container {id} is not running; start it first")]
    NotRunning {
        /// Its id.
        id: String,
    },
    /// What its runtime keeps of it.
    #[error("cannot understand what the runtime keeps in {}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
}

fn shown(unreadable: &[PathBuf]) -> String {
    let paths: Vec<_> = unreadable.iter().map(|path| path.display().to_string()).collect();
    if paths.is_empty() { String::new() } else { format!(" ({} cannot be read)", paths.join(", ")) }
}

/// A running container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The id that the engine gave it.
    pub id: String,
    /// Its image, where the engine keeps it.
    pub image: Option<String>,
    /// The runtime that keeps its state: `runc`, `crun` or another with the same files.
    pub runtime: String,
    /// Its first process, in the pid namespace of the runtime.
    pub init: Tgid,
}

impl Found {
    /// The container as a target.
    pub fn spec(&self) -> RunningSpec {
        let container = Container { id: self.id.clone(), image: self.image.clone() };
        let runtime = Runtime { name: self.runtime.clone(), version: None };
        RunningSpec::container(self.init, container, Some(runtime))
    }
}

impl Places {
    /// The running container with this id, this name, or an id that begins so, in this order. What the system's engines
    /// run comes before what users run by themselves.
    ///
    /// # Errors
    /// [`ContainerError`]: none, or several, or one that does not run.
    pub fn find(&self, wanted: &str) -> Result<Found, ContainerError> {
        let (kept, unreadable) = self.state_dirs();
        let names = self.names();
        let ids = matching(wanted, &kept, &names);
        let not_found = || ContainerError::NotFound { wanted: wanted.to_owned(), unreadable };
        let id = match ids.as_slice() {
            [] => return Err(not_found()),
            [id] => id.clone(),
            _ => return Err(ContainerError::Ambiguous { wanted: wanted.to_owned(), ids }),
        };
        let image = names.iter().find(|named| named.id == id).and_then(|named| named.image.clone());
        // A runtime may have kept the folder of one that is gone, where another has the one that runs.
        let mut trouble = ContainerError::NotRunning { id: id.clone() };
        for kept in kept.iter().filter(|kept| kept.id == id) {
            match kept.read() {
                Ok(init) if proc::lives(init.pid, init.start_time) => {
                    let runtime = kept.runtime.to_owned();
                    return Ok(Found { id, image, runtime, init: Tgid(init.pid) });
                }
                Ok(_) => {}
                Err(source) => trouble = ContainerError::State { path: kept.file(), source },
            }
        }
        Err(trouble)
    }
}

/// The ids that `wanted` can mean: the one that it is, else those with the name, else those that begin so.
fn matching(wanted: &str, kept: &[StateDir], names: &[Named]) -> Vec<String> {
    let known = || kept.iter().map(|kept| &kept.id).chain(names.iter().map(|named| &named.id));
    let distinct = |ids: Vec<&String>| {
        let mut ids: Vec<String> = ids.into_iter().cloned().collect();
        ids.sort();
        ids.dedup();
        ids
    };
    if wanted.is_empty() {
        return Vec::new();
    }
    if known().any(|id| id == wanted) {
        return vec![wanted.to_owned()];
    }
    let named = names.iter().filter(|named| named.names.iter().any(|name| name == wanted));
    let by_name = distinct(named.map(|named| &named.id).collect());
    if !by_name.is_empty() {
        return by_name;
    }
    distinct(known().filter(|id| id.starts_with(wanted)).collect())
}

#[cfg(test)]
mod tests;
