//! The child's side of a launch: everything is prepared before the fork.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::{SigHandler, SigmaskHow, Signal, signal, sigprocmask};
use nix::unistd::{self, Gid};
use seccomp_trace_core::{CommandSpec, Credentials, SeccompFilter};

use crate::launch::{LaunchError, SignalState, Stage};

/// Everything that the child needs, allocated before the fork.
pub(crate) struct Image {
    argv: Strings,
    env: Option<Strings>,
    credentials: Option<Credentials>,
    groups: Vec<Gid>,
    ignore_sigpipe: bool,
    default_signals: Vec<Signal>,
    filter: Option<Filter>,
}

impl Image {
    pub(crate) fn new(spec: &CommandSpec) -> Result<Self, LaunchError> {
        let argv = Strings::new(std::iter::once(&spec.program).chain(&spec.args))?;
        let env = spec.env.as_ref().map(Strings::new).transpose()?;
        let groups = spec.credentials.iter().flat_map(|c| &c.groups).map(|gid| Gid::from_raw(*gid)).collect();
        Ok(Self {
            argv,
            env,
            credentials: spec.credentials.clone(),
            groups,
            ignore_sigpipe: spec.ignore_sigpipe,
            default_signals: spec.default_signals.iter().filter_map(|n| Signal::try_from(*n).ok()).collect(),
            filter: spec.filter.as_ref().map(Filter::new).transpose()?,
        })
    }

    /// The child's side: waits for the gate, becomes the user, takes the mask and executes.
    pub(crate) fn run(&self, gate: &OwnedFd, report: &OwnedFd, signals: &SignalState) -> ! {
        let mut byte = [0];
        // No byte: the parent is gone, or gave up.
        if unistd::read(gate, &mut byte) == Ok(1) {
            let (stage, errno) = match self.become_user() {
                Err(errno) => (Stage::User, errno),
                Ok(()) => self.exec(signals),
            };
            let mut answer = [0; 8];
            answer[..4].copy_from_slice(&(stage as i32).to_ne_bytes());
            answer[4..].copy_from_slice(&(errno as i32).to_ne_bytes());
            let _ = unistd::write(report, &answer);
        }
        // SAFETY: ends this process at once, without running the parent's exit handlers.
        unsafe { libc::_exit(127) }
    }

    fn become_user(&self) -> Result<(), Errno> {
        let Some(Credentials { uid, gid, .. }) = self.credentials else { return Ok(()) };
        unistd::setgroups(&self.groups)?;
        let gid = Gid::from_raw(gid);
        unistd::setresgid(gid, gid, gid)?;
        let uid = unistd::Uid::from_raw(uid);
        unistd::setresuid(uid, uid, uid)
    }

    /// Returns only when something failed.
    fn exec(&self, signals: &SignalState) -> (Stage, Errno) {
        let pipe = if self.ignore_sigpipe { SigHandler::SigIgn } else { SigHandler::SigDfl };
        // SAFETY: neither disposition runs code of ours.
        let _ = unsafe { signal(Signal::SIGPIPE, pipe) };
        for number in &self.default_signals {
            // SAFETY: as above.
            let _ = unsafe { signal(*number, SigHandler::SigDfl) };
        }
        if signals.ignores_children {
            // SAFETY: to ignore a signal runs no code of ours.
            let _ = unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) };
        }
        if let Err(errno) = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&signals.mask), None) {
            return (Stage::Exec, errno);
        }
        // Nothing but execve from here on: the filter may allow no more.
        if let Some(Err(errno)) = self.filter.as_ref().map(Filter::install) {
            return (Stage::Filter, errno);
        }
        // SAFETY: the arrays end with a null pointer, and all that they point to lives in `self`. The call returns
        // only when it has failed.
        unsafe {
            match &self.env {
                Some(env) => {
                    libc::execvpe(self.argv.pointers[0], self.argv.pointers.as_ptr(), env.pointers.as_ptr())
                }
                None => libc::execvp(self.argv.pointers[0], self.argv.pointers.as_ptr()),
            };
        }
        (Stage::Exec, Errno::last())
    }
}

/// A filter in the form that seccomp(2) takes.
struct Filter {
    instructions: Vec<libc::sock_filter>,
    length: u16,
    no_new_privs: bool,
}

impl Filter {
    fn new(filter: &SeccompFilter) -> Result<Self, LaunchError> {
        let (instructions, rest) = filter.program.as_chunks::<8>();
        let length = u16::try_from(instructions.len()).ok().filter(|_| rest.is_empty());
        let decode = |i: &[u8; 8]| libc::sock_filter {
            code: u16::from_ne_bytes([i[0], i[1]]),
            jt: i[2],
            jf: i[3],
            k: u32::from_ne_bytes([i[4], i[5], i[6], i[7]]),
        };
        Ok(Self {
            instructions: instructions.iter().map(decode).collect(),
            length: length.ok_or_else(|| LaunchError::Filter { source: Errno::EINVAL.into() })?,
            no_new_privs: filter.no_new_privs,
        })
    }

    fn install(&self) -> Result<(), Errno> {
        let program = libc::sock_fprog { len: self.length, filter: self.instructions.as_ptr().cast_mut() };
        // SAFETY: the calls take integers, and a program whose instructions live in `self`; the kernel copies them and
        // changes nothing.
        unsafe {
            if self.no_new_privs {
                Errno::result(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
            }
            let mode = libc::SECCOMP_SET_MODE_FILTER;
            Errno::result(libc::syscall(libc::SYS_seccomp, mode, 0, &raw const program)).map(drop)
        }
    }
}

/// Strings in the form that exec takes.
struct Strings {
    /// Pointers into `_owned`, and a null pointer at the end.
    pointers: Vec<*const libc::c_char>,
    _owned: Vec<CString>,
}

impl Strings {
    fn new<'a>(texts: impl IntoIterator<Item = &'a OsString>) -> Result<Self, LaunchError> {
        let owned: Vec<CString> = texts.into_iter().map(|text| c_string(text)).collect::<Result<_, _>>()?;
        // A CString's bytes are on the heap, so they stay where they are when the vector moves.
        let pointers = owned.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect();
        Ok(Self { pointers, _owned: owned })
    }
}

fn c_string(text: &OsStr) -> Result<CString, LaunchError> {
    CString::new(text.as_bytes()).map_err(|_| LaunchError::Nul(text.to_owned()))
}
