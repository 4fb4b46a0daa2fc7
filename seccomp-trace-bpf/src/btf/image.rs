//! The bytes of the kernel's BTF: mapped where the kernel does that (6.16), so that five megabytes need not be copied.

use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::ops::Deref;
use std::ptr::NonNull;

use nix::libc::c_void;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

const PATH: &str = "/sys/kernel/btf/vmlinux";

/// All of it.
pub(super) enum Image {
    Mapped { address: NonNull<c_void>, len: usize },
    Read(Vec<u8>),
}

impl Image {
    /// `None` where the kernel has none.
    pub(super) fn of_kernel() -> Option<Self> {
        let mut file = File::open(PATH).ok()?;
        let len = usize::try_from(file.metadata().ok()?.len()).ok()?;
        if let Some(mapped) = NonZeroUsize::new(len).and_then(|len| Self::map(&file, len)) {
            return Some(mapped);
        }
        let mut bytes = Vec::with_capacity(len);
        file.read_to_end(&mut bytes).ok()?;
        Some(Self::Read(bytes))
    }

    fn map(file: &File, len: NonZeroUsize) -> Option<Self> {
        // SAFETY: the kernel chooses an address where nothing is, and nothing of ours is replaced.
        let address = unsafe { mmap(None, len, ProtFlags::PROT_READ, MapFlags::MAP_PRIVATE, file, 0) };
        address.ok().map(|address| Self::Mapped { address, len: len.get() })
    }
}

impl Deref for Image {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            // SAFETY: `len` bytes are mapped there, readable, until `self` is dropped. They are a part of the kernel's image
            // that never changes, and the kernel maps the file as long as its own size or not at all.
            Self::Mapped { address, len } => unsafe {
                std::slice::from_raw_parts(address.as_ptr().cast::<u8>(), *len)
            },
            Self::Read(bytes) => bytes,
        }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if let Self::Mapped { address, len } = self {
            // SAFETY: it was mapped by us with this length, and no slice of it outlives `self`.
            let _ = unsafe { munmap(*address, *len) };
        }
    }
}
