//! seccomp filters without a kernel: decoding, the kernel's checks, and an interpreter.
//!
//! Source of the instruction set: `include/uapi/linux/bpf_common.h`, `include/uapi/linux/filter.h`; of what
//! seccomp admits of it: `seccomp_check_filter` in `kernel/seccomp.c` and `bpf_check_classic` in
//! `net/core/filter.c`.
//!
//! ```
//! use seccomp_trace_profile::Verdict;
//! use seccomp_trace_profile::bpf::{Program, SeccompData};
//!
//! // "load the number; if it is 39 allow, else fail with errno 38"
//! let instructions: [(u16, u8, u8, u32); 4] =
//!     [(0x20, 0, 0, 0), (0x15, 0, 1, 39), (0x06, 0, 0, 0x7fff_0000), (0x06, 0, 0, 0x0005_0026)];
//! let mut bytes = Vec::new();
//! for (code, jt, jf, k) in instructions {
//!     bytes.extend(code.to_ne_bytes());
//!     bytes.extend([jt, jf]);
//!     bytes.extend(k.to_ne_bytes());
//! }
//! let program = Program::decode(&bytes)?;
//! assert_eq!(program.run(&SeccompData { nr: 39, ..SeccompData::default() }), Verdict::Allow);
//! assert_eq!(program.run(&SeccompData::default()), Verdict::Errno(38));
//! # Ok::<(), seccomp_trace_profile::bpf::BpfError>(())
//! ```

#[cfg(feature = "libseccomp")]
mod decide;
mod decode;
mod run;

#[cfg(feature = "libseccomp")]
pub(crate) use decide::Undecided;
pub use decode::{BpfError, Program};
pub use run::SeccompData;
