//! What a descriptor refers to, as /proc/PID/fd shows it.

use std::mem::{offset_of, size_of};

use crate::skel::live::types::{self, live_file_flags};
use crate::wire;

/// Magic numbers of file systems without paths (`include/uapi/linux/magic.h`).
const SOCKFS: u32 = 0x534f_434b;
const PIPEFS: u32 = 0x5049_5045;
const ANON_INODE_FS: u32 = 0x0904_1934;
const NSFS: u32 = 0x6e73_6673;
const PIDFS: u32 = 0x5049_4446;

/// A `struct live_file` and the names that follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File<'a> {
    inode: u64,
    magic: u32,
    flags: u32,
    /// From the file up to the root, each with its NUL.
    names: &'a [u8],
}

impl<'a> File<'a> {
    /// `None` where it is too short.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        Some(Self {
            inode: wire::u64_at(bytes, offset_of!(types::live_file, inode))?,
            magic: wire::u32_at(bytes, offset_of!(types::live_file, magic))?,
            flags: wire::u32_at(bytes, offset_of!(types::live_file, flags))?,
            names: bytes.get(size_of::<types::live_file>()..)?,
        })
    }

    fn has(&self, flag: live_file_flags) -> bool {
        self.flags & flag.0 != 0
    }
}

/// The name.
pub(crate) fn name(file: &File<'_>) -> Vec<u8> {
    let mut path = if file.has(live_file_flags::LIVE_FILE_APART) { apart(file) } else { path(file.names) };
    if file.has(live_file_flags::LIVE_FILE_DELETED) {
        path.extend(b" (deleted)");
    }
    path
}

fn path(names: &[u8]) -> Vec<u8> {
    let names = names.strip_suffix(b"\0").unwrap_or(names);
    if names.is_empty() {
        return b"/".to_vec();
    }
    names.split(|byte| *byte == 0).rev().flat_map(|name| [b"/", name].concat()).collect()
}

/// What no path leads to.
fn apart(file: &File<'_>) -> Vec<u8> {
    let name = file.names.split(|byte| *byte == 0).next().unwrap_or_default();
    let numbered = |kind: &[u8]| [kind, format!(":[{}]", file.inode).as_bytes()].concat();
    match file.magic {
        SOCKFS => numbered(b"socket"),
        PIPEFS => numbered(b"pipe"),
        NSFS => numbered(name),
        ANON_INODE_FS => [b"anon_inode:", name].concat(),
        PIDFS => b"anon_inode:[pidfd]".to_vec(),
        // simple_dname() of fs/d_path.c: memfd, shared memory.
        _ => [b"/", name, b" (deleted)"].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(magic: u32, flags: u32, names: &[u8]) -> String {
        String::from_utf8(name(&File { inode: 7, magic, flags, names })).unwrap()
    }

    #[test]
    fn a_path_is_turned_round() {
        assert_eq!(file(1, 0, b"passwd\0etc\0"), "/etc/passwd");
        assert_eq!(file(1, 1, b"x\0tmp\0"), "/tmp/x (deleted)");
        assert_eq!(file(1, 0, b""), "/");
    }

    /// The forms of readlink(2) on /proc/PID/fd.
    #[test]
    fn what_has_no_path_is_named_as_proc_names_it() {
        assert_eq!(file(SOCKFS, 2, b"TCP\0"), "socket:[7]");
        assert_eq!(file(PIPEFS, 2, b"\0"), "pipe:[7]");
        assert_eq!(file(ANON_INODE_FS, 2, b"[eventpoll]\0"), "anon_inode:[eventpoll]");
        assert_eq!(file(NSFS, 2, b"mnt\0"), "mnt:[7]");
        assert_eq!(file(0x0102_1994, 2, b"memfd:a\0"), "/memfd:a (deleted)");
    }

    #[test]
    fn short_ones_are_none() {
        assert_eq!(File::parse(&[0; 15]), None);
        assert!(File::parse(&[0; 16]).is_some());
    }
}
