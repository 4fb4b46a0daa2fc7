//! Two processes that do one thing: whichever of them is killed, the other does it to its end.

use std::process::ExitCode;

use anyhow::Context;
use nix::errno::Errno;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use crate::confined;
use crate::log::Log;

/// Does `work` in a child and waits for it. If the child is killed, the parent does it again; if the parent is, the
/// child goes on, and holds the standard streams open, for which a container engine waits. What is done must bear
/// being done twice. Both give up what the work does not take, unless they are `unconfined`.
pub(crate) fn run(
    log: Log,
    unconfined: bool,
    work: impl Fn() -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    // SAFETY: this process has one thread, so the child may do whatever a process may.
    let forked = unsafe { fork() }.context("cannot fork")?;
    if !unconfined {
        confined::finishing(log);
    }
    match forked {
        ForkResult::Child => {
            let status = i32::from(work().map_err(|error| log.fatal(&error)).is_err());
            std::process::exit(status)
        }
        ForkResult::Parent { child } => match wait(child)? {
            WaitStatus::Exited(_, 0) => Ok(ExitCode::SUCCESS),
            // The child has said why.
            WaitStatus::Exited(..) => Ok(ExitCode::FAILURE),
            killed => {
                log.error(format_args!(
                    "the process that writes the profile ended by {killed:?}: starting over"
                ));
                work().map(|()| ExitCode::SUCCESS)
            }
        },
    }
}

fn wait(child: Pid) -> anyhow::Result<WaitStatus> {
    loop {
        match waitpid(child, None) {
            Err(Errno::EINTR) => {}
            other => return other.context("cannot wait for a child"),
        }
    }
}
