//! The process that waits for a container's end where the hook file has no stage for it.

use std::fs::OpenOptions;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{ForkResult, chdir, dup2_stderr, dup2_stdin, dup2_stdout, fork, setsid};
use seccomp_trace_bpf::shared::{SharedTarget, leave_cgroups};
use seccomp_trace_core::Tgid;

use crate::log::Log;
use crate::{finish, guard};

/// How long after init's death other processes of the container are waited for: in a pid namespace of their own they
/// die with it.
const LINGER: Duration = Duration::from_secs(2);

/// Waits for the end of a process that was alive when this was made.
pub(crate) struct Watcher {
    init: OwnedFd,
}

impl Watcher {
    /// Refers to a container's init.
    pub(crate) fn of(init: Tgid) -> anyhow::Result<Self> {
        // SAFETY: the call takes two integers; a non-negative result is a descriptor that nobody else owns.
        let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, init.0, 0) };
        let fd = i32::try_from(fd).unwrap_or(-1);
        Errno::result(fd).with_context(|| format!("cannot refer to process {init}"))?;
        // SAFETY: as above.
        Ok(Self { init: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    /// Leaves a process behind that finishes the target. It holds nothing of the runtime's: no stream, no session,
    /// no directory.
    pub(crate) fn detach(self, target: &SharedTarget, unconfined: bool, log: Log) -> anyhow::Result<()> {
        // SAFETY: this process has one thread, so the child may do whatever a process may.
        match unsafe { fork() }.context("cannot fork")? {
            ForkResult::Parent { child } => {
                log.info(format_args!("Running floating process PID to attach: {child}"));
                Ok(())
            }
            ForkResult::Child => {
                let result = let_go_of_the_runtime()
                    .and_then(|()| guard::run(log, unconfined, || self.finish(target.clone(), log)));
                let failed = result.map_err(|error| log.fatal(&error)).is_err();
                std::process::exit(i32::from(failed))
            }
        }
    }

    fn finish(&self, target: SharedTarget, log: Log) -> anyhow::Result<()> {
        let mut ended = [PollFd::new(self.init.as_fd(), PollFlags::POLLIN)];
        loop {
            match poll(&mut ended, PollTimeout::NONE) {
                Err(Errno::EINTR) => {}
                other => {
                    other.context("cannot wait for the container's end")?;
                    break;
                }
            };
        }
        let deadline = Instant::now() + LINGER;
        while target.live()? > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        finish::finish(target, log)
    }
}

fn let_go_of_the_runtime() -> anyhow::Result<()> {
    setsid().context("cannot start a session")?;
    chdir("/").context("cannot leave the bundle")?;
    leave_cgroups();
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_CLOEXEC)
        .open("/dev/null")
        .context("cannot open /dev/null")?;
    dup2_stdin(&null).context("cannot let go of standard input")?;
    dup2_stdout(&null).context("cannot let go of standard output")?;
    dup2_stderr(&null).context("cannot let go of standard error")?;
    Ok(())
}
