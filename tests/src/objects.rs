//! BPF objects of a process, and which of them the kernel still has once that has ended.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use nix::libc;
use nix::unistd::Pid;

use crate::wait_until;

/// `BPF_PROG_GET_FD_BY_ID` and its like, of `linux/bpf.h`, by the key that `/proc/PID/fdinfo` has for such an id.
const KINDS: [(&str, libc::c_int); 3] = [("prog_id", 13), ("map_id", 14), ("link_id", 30)];

/// What a process keeps alive in the kernel by its descriptors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects(BTreeSet<(&'static str, u32)>);

impl Objects {
    /// Of a process; none where it has ended. Stop it first, else it may make more.
    #[must_use]
    pub fn of(pid: Pid) -> Self {
        let mut objects = BTreeSet::new();
        for entry in fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten() {
            let info = fs::read_to_string(entry.path()).unwrap_or_default();
            for (key, value) in info.lines().filter_map(|line| line.split_once(':')) {
                if let Some((kind, _)) = KINDS.iter().find(|(kind, _)| *kind == key) {
                    objects.insert((*kind, value.trim().parse().expect("an id")));
                }
            }
        }
        Self(objects)
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that the kernel still has. Ids are given away in a circle, so one is not soon another's.
    #[must_use]
    pub fn left(&self) -> Self {
        Self(self.0.iter().copied().filter(|(kind, id)| exists(kind, *id)).collect())
    }

    /// Waits until the kernel has none of them: it frees them some time after the last use.
    pub fn wait_until_gone(&self, context: &str) {
        wait_until(&format!("the end of {:?}: {context}", self.left()), || self.left().count() == 0);
    }
}

/// Whether the kernel has an object: a descriptor for it can be had.
fn exists(kind: &str, id: u32) -> bool {
    let (_, command) = KINDS.iter().find(|(known, _)| *known == kind).expect("one of these");
    // The first member of `union bpf_attr` for these commands is the id; the others, zero, are the rest.
    let attributes = [id, 0, 0, 0];
    // SAFETY: the kernel reads `attributes`, which lives across the call, and nothing else.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, *command, attributes.as_ptr(), size_of_val(&attributes)) };
    match i32::try_from(fd) {
        Ok(fd) if fd >= 0 => {
            // SAFETY: the call gave us this descriptor, and nobody else has it.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
            true
        }
        _ => {
            let error = io::Error::last_os_error();
            assert_eq!(error.raw_os_error(), Some(libc::ENOENT), "{kind} {id}: {error}");
            false
        }
    }
}
