//! From what was asked for to the exit status.

use std::io::Write;
use std::process::ExitCode;

use seccomp_trace_bpf::probe::Facts;

use crate::args::{ArgsError, Request, USAGE};
use crate::log::Log;
use crate::{hook, limits, privileges, trace};

/// The version that `-version` and the log name.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A command line that cannot be read, as Go's `flag` package has it.
const USAGE_ERROR: u8 = 2;

/// Does it.
pub(crate) fn act(request: Result<Request, ArgsError>, log: Log) -> ExitCode {
    limits::narrow_umask();
    let result = match request {
        Ok(Request::Help) => {
            usage();
            return ExitCode::SUCCESS;
        }
        Ok(Request::Version) => {
            let _ = writeln!(std::io::stdout(), "{VERSION}");
            return ExitCode::SUCCESS;
        }
        Ok(Request::Hook(request)) => privileged().and_then(|()| hook::run(&request, log)),
        Ok(Request::Trace(request)) => {
            privileged().and_then(|()| trace::run(&request, log)).map(|()| ExitCode::SUCCESS)
        }
        Err(ArgsError::Flag(error)) => {
            log.error(format_args!("{error}"));
            usage();
            return ExitCode::from(USAGE_ERROR);
        }
        Err(error) => Err(error.into()),
    };
    result.unwrap_or_else(|error| log.fatal(&error))
}

/// Where the stream is closed there is nobody to tell.
fn usage() {
    let _ = std::io::stderr().write_all(USAGE.as_bytes());
}

fn privileged() -> anyhow::Result<()> {
    let configured = std::env::var_os(privileges::ROOTLESS);
    privileges::refuse(&Facts::read(), configured.as_deref()).map_or(Ok(()), |refusal| Err(refusal.into()))
}
