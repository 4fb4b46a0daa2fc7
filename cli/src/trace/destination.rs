//! Where the lines go.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::fchown;
use std::path::{Path, PathBuf};

use anyhow::Context;
use seccomp_trace_core::Tid;

use crate::user;

/// Bytes that are collected before they are written.
const BUFFER: usize = 1 << 16;

/// Where the lines go. The first error is kept, and ends the writing.
pub(crate) struct Destination {
    kind: Kind,
    error: Option<anyhow::Error>,
}

enum Kind {
    StandardError(BufWriter<io::Stderr>),
    File(PathBuf, BufWriter<File>),
    /// A file for each thread.
    PerThread(PathBuf, BTreeMap<Tid, BufWriter<File>>),
}

impl Destination {
    /// Standard error, a file, or (`-ff`) a file for each thread.
    pub(crate) fn open(output: Option<&Path>, per_thread: bool) -> anyhow::Result<Self> {
        let kind = match output {
            None => Kind::StandardError(BufWriter::with_capacity(BUFFER, io::stderr())),
            Some(path) if per_thread => Kind::PerThread(path.to_owned(), BTreeMap::new()),
            Some(path) => Kind::File(path.to_owned(), create(path)?),
        };
        Ok(Self { kind, error: None })
    }

    /// Whether lines of several threads stand together, and not on a terminal or pipe that says whose they are.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File(..))
    }

    pub(crate) fn is_per_thread(&self) -> bool {
        matches!(self.kind, Kind::PerThread(..))
    }

    pub(crate) fn is_standard_error(&self) -> bool {
        matches!(self.kind, Kind::StandardError(_))
    }

    /// Writes a line about a thread; `false` once writing has failed.
    pub(crate) fn write(&mut self, tid: Tid, line: &str) -> bool {
        if self.error.is_some() {
            return false;
        }
        let result = match &mut self.kind {
            Kind::StandardError(file) => put(file, line).context("cannot write to standard error"),
            Kind::File(path, file) => put(file, line).with_context(|| cannot_write(path)),
            Kind::PerThread(base, files) => per_thread(base, files, tid, line),
        };
        self.error = result.err();
        self.error.is_none()
    }

    /// Writes a line that is about no thread: into every file.
    pub(crate) fn write_to_all(&mut self, line: &str) -> bool {
        match &self.kind {
            Kind::PerThread(_, files) => {
                let tids: Vec<Tid> = files.keys().copied().collect();
                tids.into_iter().all(|tid| self.write(tid, line))
            }
            _ => self.write(Tid(0), line),
        }
    }

    /// Hands on what was collected.
    pub(crate) fn flush(&mut self) {
        let result = match &mut self.kind {
            Kind::StandardError(file) => file.flush().context("cannot write to standard error"),
            Kind::File(path, file) => file.flush().with_context(|| cannot_write(path)),
            Kind::PerThread(path, files) => {
                files.values_mut().try_for_each(BufWriter::flush).with_context(|| cannot_write(path))
            }
        };
        if self.error.is_none() {
            self.error = result.err();
        }
    }

    /// A thread ended; its file is complete.
    pub(crate) fn close(&mut self, tid: Tid) {
        self.flush();
        if let Kind::PerThread(_, files) = &mut self.kind {
            files.remove(&tid);
        }
    }

    /// Whether writing failed.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        self.flush();
        self.error.map_or(Ok(()), Err)
    }
}

fn put(file: &mut impl Write, line: &str) -> io::Result<()> {
    file.write_all(line.as_bytes())?;
    file.write_all(b"\n")
}

fn per_thread(
    base: &Path,
    files: &mut BTreeMap<Tid, BufWriter<File>>,
    tid: Tid,
    line: &str,
) -> anyhow::Result<()> {
    let mut path = base.as_os_str().to_owned();
    path.push(format!(".{tid}"));
    let path = PathBuf::from(path);
    let file = match files.entry(tid) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) => entry.insert(create(&path)?),
    };
    put(file, line).with_context(|| cannot_write(&path))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write to {}", path.display())
}

/// A new or emptied file, which belongs to whoever called sudo.
fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let new = !path.exists();
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    if let (true, Some((uid, gid))) = (new, user::invoking_user()) {
        fchown(&file, Some(uid), Some(gid))
            .with_context(|| format!("cannot give {} to its user", path.display()))?;
    }
    Ok(BufWriter::with_capacity(BUFFER, file))
}
