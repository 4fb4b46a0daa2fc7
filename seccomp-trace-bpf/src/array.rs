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
    values: Values,
    size: usize,
}

impl Array {
    /// Maps all values of the map.
    pub(crate) fn new(handle: MapHandle, name: &'static str) -> Result<Self, Error> {
        let size = stride(&handle);
        let values = Values::map(&handle, name, 0, size * handle.max_entries() as usize)?;
        Ok(Self { handle, values, size })
    }

    /// To be pinned.
    pub(crate) fn handle_mut(&mut self) -> &mut MapHandle {
        &mut self.handle
    }

    /// The value at `index`, with zeros up to the next multiple of eight bytes; empty where there is none.
    pub(crate) fn read(&self, index: u32) -> Vec<u8> {
        self.values.read(index as usize * self.size, self.size)
    }

    /// Writes `bytes` into the value at `index`. What they leave of a value's last word becomes zero.
    pub(crate) fn write(&self, index: u32, bytes: &[u8]) {
        self.values.write(index as usize * self.size, bytes);
    }
}

impl AsFd for Array {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// The same of which a value is mapped when it is asked for: a page that is mapped counts as memory of this process,
/// and all slots of a shared instance together have thousands.
pub(crate) struct LargeArray {
    handle: MapHandle,
    name: &'static str,
}

impl LargeArray {
    pub(crate) fn new(handle: MapHandle, name: &'static str) -> Self {
        Self { handle, name }
    }

    /// To be pinned.
    pub(crate) fn handle_mut(&mut self) -> &mut MapHandle {
        &mut self.handle
    }

    /// The value at `index`.
    pub(crate) fn value(&self, index: u32) -> Result<Values, Error> {
        let size = stride(&self.handle);
        Values::map(&self.handle, self.name, index as usize * size, size)
    }
}

impl AsFd for LargeArray {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Mapped bytes of an array map.
pub(crate) struct Values(MmapRaw);

impl Values {
    fn map(handle: &MapHandle, name: &'static str, offset: usize, length: usize) -> Result<Self, Error> {
        let mapped = MmapOptions::new()
            .offset(offset as u64)
            .len(length)
            .map_raw(handle.as_fd().as_raw_fd())
            .map_err(|source| Error::map(name)(source.into()))?;
        Ok(Self(mapped))
    }

    /// So many bytes from `offset` on, which must be a multiple of eight; empty where they are not all there.
    pub(crate) fn read(&self, offset: usize, length: usize) -> Vec<u8> {
        let first = offset / WORD;
        let words = self.words().get(first..first + length.div_ceil(WORD)).unwrap_or_default();
        words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).take(length).collect()
    }

    /// Writes `bytes` from `offset` on, which must be a multiple of eight. What they leave of the last word becomes zero.
    pub(crate) fn write(&self, offset: usize, bytes: &[u8]) {
        for (word, chunk) in self.words().iter().skip(offset / WORD).zip(bytes.chunks(WORD)) {
            let mut whole = [0; WORD];
            whole[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_ne_bytes(whole), Ordering::Relaxed);
        }
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping begins at a multiple of eight, because maps lie at pages and every value is as many words;
        // it has that many words, is writable and lives as long as `self`. The kernel's programs change it at any time,
        // which is what atomic words are for.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() / WORD) }
    }
}

/// How far apart an array's values are.
fn stride(handle: &MapHandle) -> usize {
    (handle.value_size() as usize).next_multiple_of(WORD)
}
