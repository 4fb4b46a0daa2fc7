//! `oci-seccomp-bpf-hook`: an OCI hook that records the syscalls of a container and writes the tightest seccomp profile
//! that still runs it.

mod act;
mod allow;
mod ancestors;
mod annotation;
mod args;
mod bundle;
mod confined;
mod finish;
mod flags;
mod guard;
mod hook;
mod input;
mod limits;
mod log;
mod options;
mod order;
mod privileges;
mod runtime;
mod state;
mod trace;
mod wanted;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let log = log::Log::open(words.first().map(OsString::as_os_str));
    act::act(args::parse(&words), log)
}
