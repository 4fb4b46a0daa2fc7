//! The files in which hooks leave each other what they need to know.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use seccomp_trace_core::{Captures, Command, Container, Losses, RunId, Runtime, Syscall, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::clock::Clock;

/// Changes whenever a BPF source does: processes use an instance only if they would have loaded the same.
pub(crate) const LAYOUT: &str = env!("SECCOMP_TRACE_BPF_LAYOUT");

/// The name of an instance's description in its directory.
pub(crate) const INSTANCE: &str = "instance.json";

/// A loaded and pinned instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InstanceFile {
    /// [`LAYOUT`] of who loaded it.
    pub(crate) layout: String,
    /// The directory with its pins.
    pub(crate) pins: PathBuf,
    pub(crate) slots: u16,
    /// The kernel's ids of the maps and programs: they lead to them also from where the pins cannot be seen.
    pub(crate) maps: BTreeMap<String, u32>,
    pub(crate) programs: BTreeMap<String, u32>,
    /// The boot that the ids are of.
    pub(crate) boot: Option<String>,
    pub(crate) loaded: Timestamp,
}

/// A container under observation: what was known when it was armed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetFile {
    pub(crate) container: Container,
    /// The bundle's directory: with the id it tells containers of different engines apart.
    pub(crate) bundle: PathBuf,
    /// The identity of its recording.
    pub(crate) run: RunId,
    pub(crate) generation: u32,
    /// Of its init, in the pid namespace of who armed it.
    pub(crate) pid: u32,
    /// In clock ticks after boot, from `/proc/PID/stat`: with the pid it tells whether the init is still that process.
    pub(crate) start_time: Option<u64>,
    /// The pid namespace that the pid is of.
    pub(crate) pid_ns: Option<u64>,
    pub(crate) runtime: Option<Runtime>,
    pub(crate) command: Option<Command>,
    pub(crate) clock: Clock,
    pub(crate) started: Timestamp,
    /// What had been lost before it was armed, by other targets.
    pub(crate) losses_before: Losses,
    #[serde(with = "captures")]
    pub(crate) captures: Captures,
    /// Targets whose results go to one place share a group, and one recording.
    pub(crate) group: RunId,
    pub(crate) group_key: String,
    /// Where else the group's results go.
    #[serde(default)]
    pub(crate) side_keys: Vec<String>,
    /// What targets of one group must agree on.
    pub(crate) terms: serde_json::Value,
    /// What is to be done with the recording: the caller's own business.
    pub(crate) job: serde_json::Value,
}

/// A map from syscalls is no JSON object.
mod captures {
    use super::{Captures, Deserialize, Serialize, Syscall};

    pub(super) fn serialize<S: serde::Serializer>(map: &Captures, to: S) -> Result<S::Ok, S::Error> {
        map.iter().map(|(call, index)| (call.arch, call.nr.0, *index)).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Captures, D::Error> {
        let list = Vec::<(seccomp_trace_core::Arch, i32, u8)>::deserialize(from)?;
        Ok(list.into_iter().map(|(arch, nr, index)| (Syscall::new(arch, nr), index)).collect())
    }
}

/// Creates a directory that only we may enter, and those above it that are missing.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Reads one of the files. `None`: there is none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::State { doing: "read", path: path.to_owned(), source }),
    };
    serde_json::from_slice(&text)
        .map(Some)
        .map_err(|source| Error::StateFormat { path: path.to_owned(), source })
}

/// Writes one of the files, so that it is there whole or not at all. A process that is killed meanwhile leaves a
/// name with a leading dot.
pub(crate) fn write<T: Serialize>(path: &Path, content: &T) -> Result<(), Error> {
    let failed = |source| Error::State { doing: "write", path: path.to_owned(), source };
    let text =
        serde_json::to_vec(content).map_err(|source| Error::StateFormat { path: path.to_owned(), source })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}"));
    File::create(&temporary)
        .and_then(|mut file| file.write_all(&text))
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(failed)
}
