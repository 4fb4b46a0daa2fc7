//! Giving up what is needed no more once the target is armed.

use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use nix::errno::Errno;
use seccomp_trace_bpf::BpfSession;
use seccomp_trace_core::Session;
use seccomp_trace_profile::Output;
use seccomp_trace_profile::confine::{Needs, confine};

use crate::say::say;

/// The option.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ConfineArgs {
    /// Keep all privileges and system calls while the target runs, where giving them up is in the way
    #[arg(long)]
    unconfined: bool,
}

/// Whether this process has given anything up.
static CONFINED: AtomicBool = AtomicBool::new(false);

impl ConfineArgs {
    /// Gives up, for this process, all but what `needs` says. Whatever is observed runs already, and does so unchanged:
    /// what cannot be given up is told, and is no reason to stop.
    pub(crate) fn apply(self, session: &mut BpfSession, needs: Needs) {
        if self.unconfined {
            return;
        }
        session.prepare_for_fewer_privileges();
        CONFINED.store(true, Ordering::Relaxed);
        if let Err(error) = confine(needs, || session.snapshot().is_ok()) {
            say!(
                "warning: this process keeps more privileges than it needs: {:#}",
                anyhow::Error::new(error)
            );
        }
    }
}

/// Whether any of these is a file, which is opened later, as opposed to a stream that is open already.
pub(crate) fn any_file<'a>(outputs: impl IntoIterator<Item = &'a Output>) -> bool {
    outputs.into_iter().any(|output| output.target().is_some())
}

/// Says an error, and where this program's own filter can be the reason, that it can.
pub(crate) fn say_error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    say!("{text}");
    if CONFINED.load(Ordering::Relaxed) && is_denial(&text) {
        say!(
            "the seccomp filter that this program runs under may lack a call that this system needs; use --unconfined, \
             and report it please"
        );
    }
}

/// Whether a call failed as one does that the filter denies.
fn is_denial(text: &str) -> bool {
    text.contains(Errno::ENOSYS.desc())
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;
    use seccomp_trace_profile::OutputError;

    use super::*;

    #[test]
    fn what_fails_by_our_own_filter_is_told_from_what_fails_otherwise() {
        let failed = |errno: Errno| {
            let source = io::Error::from_raw_os_error(errno as i32);
            let error: Result<(), _> = Err(OutputError { path: "p.json".into(), source });
            format!("{:#}", error.context("the profile was not written").unwrap_err())
        };
        assert!(is_denial(&failed(Errno::ENOSYS)));
        assert!(!is_denial(&failed(Errno::ENOSPC)) && !is_denial(&failed(Errno::EPERM)));
    }
}
