//! Array maps as memory of this process.
//!
//! A look-up by bpf(2) keeps perf tracepoints on its CPU from running programs until it is done
//! (`bpf_disable_instrumentation` in kernel/bpf/syscall.c), also while it is preempted. Where calls are recorded at one,
//! others would not be seen meanwhile.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use libbpf_rs::{MapCore, MapHandle};
use memmap2::{MmapOptions, MmapRaw};

use crate::Error;

const WORD: usize = size_of::<u64>();

/// An array map (`BPF_F_MMAPABLE`), and its values. Each word of a value is read and written as a whole, and a value is
/// not, like those that bpf(2) copies.
pub(crate) struct Array {
    handle: MapHandle,
    memory: MmapRaw,
    words_per_value: usize,
}

impl Array {
    /// Maps all values of the map.
    pub(crate) fn new(handle: MapHandle, name: &'static str) -> Result<Self, Error> {
        let words_per_value = (handle.value_size() as usize).div_ceil(WORD);
        let length = words_per_value * WORD * handle.max_entries() as usize;
        let memory = MmapOptions::new()
            .len(length)
            .map_raw(handle.as_fd().as_raw_fd())
            .map_err(|source| Error::map(name)(source.into()))?;
        Ok(Self { handle, memory, words_per_value })
    }

    /// To be pinned.
    pub(crate) fn handle_mut(&mut self) -> &mut MapHandle {
        &mut self.handle
    }

    /// The value at `index`, with zeros up to the next multiple of eight bytes; empty where there is none.
    pub(crate) fn read(&self, index: u32) -> Vec<u8> {
        self.read_part(index, 0, self.words_per_value * WORD)
    }

    /// So many bytes of the value at `index`, from `offset` on, which must be a multiple of eight.
    pub(crate) fn read_part(&self, index: u32, offset: usize, length: usize) -> Vec<u8> {
        let words = self.value(index).iter().skip(offset / WORD).take(length.div_ceil(WORD));
        words.flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).take(length).collect()
    }

    /// Writes `bytes` into the value at `index`. What they leave of a value's last word becomes zero.
    pub(crate) fn write(&self, index: u32, bytes: &[u8]) {
        self.write_part(index, 0, bytes);
    }

    /// Writes `bytes` into the value at `index`, from `offset` on, which must be a multiple of eight.
    pub(crate) fn write_part(&self, index: u32, offset: usize, bytes: &[u8]) {
        for (word, chunk) in self.value(index).iter().skip(offset / WORD).zip(bytes.chunks(WORD)) {
            let mut whole = [0; WORD];
            whole[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_ne_bytes(whole), Ordering::Relaxed);
        }
    }

    fn value(&self, index: u32) -> &[AtomicU64] {
        let first = index as usize * self.words_per_value;
        self.words().get(first..first + self.words_per_value).unwrap_or_default()
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping begins at a page, has that many words, is writable and lives as long as `self`. The kernel's
        // programs change it at any time, which is what atomic words are for.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast(), self.memory.len() / WORD) }
    }
}

impl AsFd for Array {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}
