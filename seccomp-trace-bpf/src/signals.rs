//! Stands between the terminal and a launched command: what was sent to us alone is forwarded, what the command
//! got by itself is not, and when the command stops for the terminal, so do we.

use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use libbpf_rs::{MapCore, MapFlags};
use nix::libc;
use nix::sys::signal::{SigAction, SigHandler, SigSet, SigmaskHow, Signal, raise, sigaction, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use crate::instance::Instance;
use crate::launch::{Change, Child, CommandStatus, pidfd_open};
use crate::skel::recorder::types;
use crate::{Error, wire};

/// Signals that ask a recording to end once its command has ended.
const ENDING: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
/// Signals by which a terminal stops a job.
const STOPPING: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Number of signals, and one for the unused zero.
const NSIG: usize = 65;

/// Signals of this process, blocked and read from a descriptor, and how they compare with the command's.
pub(crate) struct Relay {
    instance: Arc<Instance>,
    fd: SignalFd,
    me: OwnedFd,
    slot: u16,
    /// How many signals of each number had been sent to this process alone when it was last looked up.
    alone: [u32; NSIG],
    stop_requested: bool,
    /// The signal that the command is stopped by.
    child_stopped: Option<i32>,
}

impl Relay {
    /// Starts telling signals to this process from signals to the command in `slot`.
    pub(crate) fn new(instance: Arc<Instance>, slot: u16) -> Result<Self, Error> {
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let fd = SignalFd::with_flags(&SigSet::all(), flags).map_err(Error::system("read signals"))?;
        let me = pidfd_open(Pid::this()).map_err(Error::system("refer to this process"))?;
        instance
            .launchers
            .update(&me.as_raw_fd().to_ne_bytes(), &u32::from(slot).to_ne_bytes(), MapFlags::ANY)
            .map_err(Error::map("launchers"))?;
        Ok(Self { instance, fd, me, slot, alone: [0; NSIG], stop_requested: false, child_stopped: None })
    }

    /// Handles the signals that have arrived. Returns the last that asks the recording to end.
    pub(crate) fn handle(
        &mut self,
        child: Option<&Child>,
        status: &mut Option<CommandStatus>,
    ) -> Result<Option<i32>, Error> {
        let mut ending = None;
        while let Some(info) = self.fd.read_signal().map_err(Error::system("read signals"))? {
            let Ok(number) = i32::try_from(info.ssi_signo) else { continue };
            if number == libc::SIGCHLD {
                self.child_changed(child, status)?;
                continue;
            }
            let alone = self.sent_to_us_alone(number)?;
            match child {
                Some(child) if status.is_none() => {
                    if alone {
                        forward(child, number);
                    } else if STOPPING.contains(&number) {
                        self.stop_requested = true;
                    }
                }
                _ if ENDING.contains(&number) => ending = Some(number),
                _ => {}
            }
        }
        if self.stop_requested {
            self.child_changed(child, status)?;
        }
        Ok(ending)
    }

    /// Whether a signal of this number has been sent to this process and not to the command since the last look.
    fn sent_to_us_alone(&mut self, number: i32) -> Result<bool, Error> {
        let value = self
            .instance
            .signals
            .lookup(&u32::from(self.slot).to_ne_bytes(), MapFlags::ANY)
            .map_err(Error::map("signals"))?
            .unwrap_or_default();
        let Ok(index) = usize::try_from(number) else { return Ok(false) };
        let now = wire::u32_at(&value, offset_of!(types::signal_tally, alone) + index * size_of::<u32>());
        let (Some(now), Some(before)) = (now, self.alone.get_mut(index)) else { return Ok(false) };
        Ok(std::mem::replace(before, now) != now)
    }

    fn child_changed(
        &mut self,
        child: Option<&Child>,
        status: &mut Option<CommandStatus>,
    ) -> Result<(), Error> {
        let Some(child) = child else { return Ok(()) };
        if status.is_some() {
            return Ok(());
        }
        match child.change().map_err(Error::system("wait for the command"))? {
            Change::Ended(ended) => *status = Some(ended),
            Change::Stopped(signal) => self.child_stopped = Some(signal),
            Change::Continued => (self.child_stopped, self.stop_requested) = (None, false),
            Change::None => {}
        }
        // A stop of the whole job, as by ^Z: the shell waits for this process, so it must stop as well. A command
        // that was stopped alone will also be continued alone.
        if self.stop_requested
            && let Some(signal) = self.child_stopped.take()
        {
            self.stop_requested = false;
            stop_by(signal)?;
        }
        Ok(())
    }
}

impl AsFd for Relay {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.instance.launchers.delete(&self.me.as_raw_fd().to_ne_bytes());
    }
}

/// Blocks all signals of the calling thread and returns the mask that was.
pub(crate) fn block() -> Result<SigSet, Error> {
    let mut old = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut old))
        .map_err(Error::system("block signals"))?;
    Ok(old)
}

/// Gives the calling thread the mask that [`block`] returned.
pub(crate) fn restore(mask: &SigSet) {
    // Only a wrong first argument makes this fail.
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(mask), None);
}

/// Stops this process by the signal that stopped the command, as the shell that waits for it expects, and returns
/// when it has been continued.
fn stop_by(number: i32) -> Result<(), Error> {
    let failed = Error::system("stop with the command");
    let signal = Signal::try_from(number).unwrap_or(Signal::SIGSTOP);
    let result = raise(signal).and_then(|()| {
        let mut only = SigSet::empty();
        only.add(signal);
        // It is blocked and so pending; to unblock it is to stop here.
        sigprocmask(SigmaskHow::SIG_UNBLOCK, Some(&only), None)?;
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&only), None)
    });
    result.map_err(failed)
}

fn forward(child: &Child, number: i32) {
    // SAFETY: the call takes two integers and no pointer. The child has not been reaped, so the id is its own.
    // That it may have died in between is no error.
    unsafe { libc::kill(child.pid.as_raw(), number) };
}

/// Children must be waited for: undoes an inherited `SIG_IGN` of `SIGCHLD`, and says whether there was one.
pub(crate) fn heed_children() -> Result<bool, Error> {
    let default = SigAction::new(SigHandler::SigDfl, nix::sys::signal::SaFlags::empty(), SigSet::empty());
    // SAFETY: the default disposition runs no code of ours.
    let old = unsafe { sigaction(Signal::SIGCHLD, &default) }.map_err(Error::system("heed SIGCHLD"))?;
    Ok(matches!(old.handler(), SigHandler::SigIgn))
}
