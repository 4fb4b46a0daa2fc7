//! seccomp profiles: a lossless model of every dialect, and filters without a kernel.
#![forbid(unsafe_code)]

pub mod bpf;
mod verdict;

pub use verdict::Verdict;
