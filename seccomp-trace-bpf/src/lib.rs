//! Records the syscalls of processes with CO-RE eBPF: the first implementation of the collection seam of
//! `seccomp-trace-core`.
//!
//! The truth is a table in the kernel with one byte per syscall, phase and ABI of each target, written at the
//! syscall's entry: there is no buffer that could overflow, and no reader that could be too slow. Membership is kept
//! in task storage that children inherit, so it follows threads, forks, namespaces and execs exactly.
//!
//! Needs Linux 5.13 or newer with BTF, `CAP_BPF` and `CAP_PERFMON`, on `x86_64` or aarch64. [`probe`] and [`config`]
//! tell whether a machine has that, and what to do where it has not.
//!
//! ```
//! use seccomp_trace_bpf::Tracer;
//! use seccomp_trace_core::{Collector, CommandSpec, Ended, NoSink, Phase, Session, Target};
//!
//! let tracer = match Tracer::builder().load() {
//!     Ok(tracer) => tracer,
//!     Err(error) => return println!("cannot trace here: {error}"),
//! };
//! let mut session = tracer.observe(Target::Command(CommandSpec::new("true"))).unwrap();
//! while !session.poll(None, &mut NoSink).unwrap() {}
//! let recording = session.finish(Ended::TargetEnded).unwrap();
//! assert!(recording.syscalls(Phase::Workload).any(|call| call.to_string() == "exit_group"));
//! ```

pub mod config;
pub mod containers;
pub mod probe;

mod access;
mod array;
mod btf;
mod captures;
mod cgroups;
mod clock;
mod denials;
mod denials_wire;
mod error;
mod events;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod image;
mod instance;
mod launch;
mod libbpf;
mod live;
mod preemption;
mod provenance;
mod running;
mod seed;
mod session;
pub mod shared;
mod signals;
mod skel;
mod skipped;
mod slot;
mod snapshot;
mod tables;
pub mod tally;
mod tracer;
mod wire;

pub use access::AccessError;
pub use cgroups::CgroupError;
pub use error::Error;
pub use launch::{CommandStatus, LaunchError};
pub use live::ViewError;
pub use session::BpfSession;
pub use tracer::{Tracer, TracerBuilder};
