//! Stands between the terminal and a launched command: what was sent to us alone is forwarded, what the command
//! got by itself is not, and when the command stops for the terminal, so do we.

use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use libbpf_rs::{MapCore, MapFlags};
use nix::libc;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, raise, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::unistd::{self, Pid};

use crate::instance::Instance;
use crate::launch::{Change, Child, CommandStatus, pidfd_open};
use crate::skel::recorder::types;
use crate::{Error, wire};

/// Signals that ask a recording to end once its command has ended.
const ENDING: [i32; 4] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT];
/// Signals by which a terminal stops a job.
const STOPPING: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// Signals that the kernel sends to who writes to a pipe without a reader, or beyond the limit of a file.
const ANSWERS: [i32; 2] = [libc::SIGPIPE, libc::SIGXFSZ];

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
    /// The signals of `ENDING` that this process was started with ignored, as by nohup.
    ignored: Vec<i32>,
    /// The signal by which the whole job was asked to stop.
    stop_requested: Option<i32>,
    /// The signal that the command is stopped by.
    child_stopped: Option<i32>,
    /// Whether somebody wants to see what has been recorded so far.
    snapshot_wanted: bool,
}

impl Relay {
    /// Starts telling signals to this process from signals to the command in `slot`.
    pub(crate) fn new(instance: Arc<Instance>, slot: u16) -> Result<Self, Error> {
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let fd = SignalFd::with_flags(&SigSet::all(), flags).map_err(Error::system("read signals"))?;
        let ignored = ENDING.into_iter().filter(|number| is_ignored(*number)).collect();
        let me = pidfd_open(Pid::this()).map_err(Error::system("refer to this process"))?;
        instance
            .loaded
            .launchers
            .update(&me.as_raw_fd().to_ne_bytes(), &u32::from(slot).to_ne_bytes(), MapFlags::ANY)
            .map_err(Error::map("launchers"))?;
        Ok(Self {
            instance,
            fd,
            me,
            slot,
            alone: [0; NSIG],
            ignored,
            stop_requested: None,
            child_stopped: None,
            snapshot_wanted: false,
        })
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
            let alone = self.sent_to_us_alone(number);
            // The kernel's answer to a write of ours.
            if ANSWERS.contains(&number) && info.ssi_pid == std::process::id() {
                continue;
            }
            match child {
                Some(child) if status.is_none() => {
                    if alone {
                        forward(child, &info);
                    } else if STOPPING.contains(&number) {
                        self.stop_requested = Some(number);
                    }
                }
                None if number == libc::SIGUSR1 => self.snapshot_wanted = true,
                // ^Z, where there is no command that would be stopped by it.
                None if STOPPING.contains(&number) => stop_by(number)?,
                _ if ENDING.contains(&number) && !self.ignored.contains(&number) => ending = Some(number),
                _ => {}
            }
        }
        if self.stop_requested.is_some() {
            self.child_changed(child, status)?;
        }
        Ok(ending)
    }

    /// Whether somebody has asked, since this was last called, for what has been recorded so far.
    pub(crate) fn take_snapshot_wanted(&mut self) -> bool {
        std::mem::take(&mut self.snapshot_wanted)
    }

    /// Whether a signal of this number has been sent to this process and not to the command since the last look.
    fn sent_to_us_alone(&mut self, number: i32) -> bool {
        let value = self.instance.loaded.signals.read(self.slot.into());
        let Ok(index) = usize::try_from(number) else { return false };
        let now = wire::u32_at(&value, offset_of!(types::signal_tally, alone) + index * size_of::<u32>());
        let (Some(now), Some(before)) = (now, self.alone.get_mut(index)) else { return false };
        if now == *before {
            return false;
        }
        // Standard signals coalesce while they are pending, real-time signals queue: each is read by itself.
        *before = if number < libc::SIGRTMIN() { now } else { before.wrapping_add(1) };
        true
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
            Change::Continued => (self.child_stopped, self.stop_requested) = (None, None),
            Change::None => {}
        }
        // A stop of the whole job, as by ^Z, or of the command by itself where a shell watches us: the shell waits for
        // this process, so it must stop as well. A command that somebody stops alone will also be continued alone.
        if let Some(signal) = self.child_stopped
            && (self.stop_requested == Some(signal) || is_foreground(child))
        {
            (self.child_stopped, self.stop_requested) = (None, None);
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
        // What came after the last look was meant for the command, or asked for the end that is here. It must not end
        // this process when it is unblocked, before what was recorded is written.
        while let Ok(Some(_)) = self.fd.read_signal() {}
        let _ = self.instance.loaded.launchers.delete(&self.me.as_raw_fd().to_ne_bytes());
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

/// Whether the command is in our process group, and that is the one that the terminal talks to.
fn is_foreground(child: &Child) -> bool {
    let ours = unistd::getpgrp();
    if unistd::getpgid(Some(child.pid)) != Ok(ours) {
        return false;
    }
    let terminal = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NOCTTY).open("/dev/tty");
    terminal.is_ok_and(|terminal| unistd::tcgetpgrp(terminal) == Ok(ours))
}

/// Hands a signal on, with the value that was queued with it. That the child may have died meanwhile is no error.
fn forward(child: &Child, info: &siginfo) {
    let Ok(number) = i32::try_from(info.ssi_signo) else { return };
    // SAFETY: the calls take numbers; the pointer is a value that only the receiver uses. The child has not been
    // reaped, so the id is its own.
    unsafe {
        if info.ssi_code == libc::SI_QUEUE {
            let value = libc::sigval { sival_ptr: info.ssi_ptr as *mut libc::c_void };
            libc::sigqueue(child.pid.as_raw(), number, value);
        } else {
            libc::kill(child.pid.as_raw(), number);
        }
    }
}

fn disposition(number: i32) -> Option<libc::sigaction> {
    // SAFETY: without a new action the call only fills `old`, plain data for which zero is valid.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(number, std::ptr::null(), &mut old) == 0).then_some(old)
    }
}

fn is_ignored(number: i32) -> bool {
    disposition(number).is_some_and(|action| action.sa_sigaction == libc::SIG_IGN)
}

/// How `SIGCHLD` was treated where it had to be changed, since children that are not heeded cannot be waited for.
/// Put back when it is dropped.
pub(crate) struct Heeded(libc::sigaction);

impl Heeded {
    /// Heeds children from now on. `None`: they were heeded already.
    pub(crate) fn children() -> Option<Self> {
        let old = disposition(libc::SIGCHLD)?;
        if old.sa_sigaction != libc::SIG_IGN && old.sa_flags & libc::SA_NOCLDWAIT == 0 {
            return None;
        }
        // SAFETY: zero is valid for all fields, and means the default disposition, which runs no code.
        unsafe {
            let default: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGCHLD, &default, std::ptr::null_mut());
        }
        Some(Self(old))
    }

    /// Whether the signal was ignored, which a command inherits.
    pub(crate) fn was_ignored(&self) -> bool {
        self.0.sa_sigaction == libc::SIG_IGN
    }
}

impl Drop for Heeded {
    fn drop(&mut self) {
        // SAFETY: the action is the one that this process had.
        unsafe { libc::sigaction(libc::SIGCHLD, &self.0, std::ptr::null_mut()) };
    }
}
