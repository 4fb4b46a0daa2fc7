//! The vocabulary of seccomp-trace: syscalls and their ABIs, targets, recordings, and the seam ([`Collector`],
//! [`Session`], [`Sink`]) between those who observe processes and those who use what was observed.
//!
//! This crate does no I/O and knows no kernel interface. `seccomp-trace-bpf` implements the seam with eBPF;
//! `seccomp-trace-profile` turns a [`Recording`] into a seccomp profile.
//!
//! ```
//! use seccomp_trace_core::{Arch, Observation, Phase, Recording, Syscall};
//!
//! let mut recording = Recording::default();
//! let getpid = Syscall::from_name(Arch::X86, "getpid").unwrap();
//! recording.observe(getpid, Phase::Workload, Observation::default());
//! assert!(recording.losses().is_none());
//! println!("{}", recording.to_json());
//! ```
#![forbid(unsafe_code)]

mod arch;
mod args;
mod call;
mod collector;
mod completeness;
mod denial;
mod document;
mod event;
mod ids;
mod json;
mod names;
mod phase;
mod recording;
mod run;
mod syscall;
mod target;
mod time;
mod view;

pub use arch::{Arch, UnknownArch};
pub use args::{ArgValue, ArgValues, CaptureError, Captures, captures};
pub use call::{Bytes, Call, Content, Datum, Exited, Extent, Outcome, RESULT, Refused, Signal};
pub use collector::{Collector, Session};
pub use completeness::{Armed, Ended, Losses};
pub use denial::{Answer, Circumstances, Denial, Denials, Watch, Watched, WatchedAbi};
pub use document::{DocumentError, read_document};
pub use event::{Event, Flow, NoSink, Sink};
pub use ids::{Comm, Tgid, Tid, is_unprintable};
pub use json::{RECORDING_VERSION, RecordingError};
pub use phase::Phase;
pub use recording::{FirstSeen, Observation, Recording};
pub use run::{Command, Container, Host, Run, RunId, Runtime};
pub use syscall::{Syscall, SyscallNr, X32_SYSCALL_BIT};
pub use target::{CommandSpec, Credentials, RunningSpec, SeccompFilter, Target};
pub use time::Timestamp;
pub use view::{Length, Read, Results, Selection, View, What, When};
