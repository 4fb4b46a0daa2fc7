//! What this process was given by whoever started it, before Rust's, libc's and its own start-up change it, so that the
//! command can be given the same.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;
use seccomp_trace_core::CommandSpec;

/// Whether `SIGPIPE` was ignored.
static SIGPIPE_IGNORED: AtomicBool = AtomicBool::new(false);
/// Whether `SIGXFSZ` was ignored.
static SIGXFSZ_IGNORED: AtomicBool = AtomicBool::new(false);

/// Runs before `main` and so before the standard library ignores `SIGPIPE` and opens closed standard descriptors.
#[used]
// SAFETY: the loader calls every function in this section once, before any other code of the program runs. The
// function below needs no runtime and does not unwind.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = {
    extern "C" fn before_main() {
        // SAFETY: system calls on plain data; nothing else runs yet.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut action) == 0 {
                SIGPIPE_IGNORED.store(action.sa_sigaction == libc::SIG_IGN, Ordering::Relaxed);
            }
            // A file over the limit (`RLIMIT_FSIZE`) is an error here that can be told, and not the end.
            let before = libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            SIGXFSZ_IGNORED.store(before == libc::SIG_IGN, Ordering::Relaxed);
            // A closed standard descriptor is taken here by one that the command does not inherit, so that no file
            // of ours gets its number, and the command finds it closed.
            for fd in 0..=2 {
                if libc::fcntl(fd, libc::F_GETFD) == -1 {
                    // Not usable as what it stands for: output to a closed descriptor must fail.
                    let access = if fd == 0 { libc::O_WRONLY } else { libc::O_RDONLY };
                    libc::open(c"/dev/null".as_ptr(), access | libc::O_CLOEXEC);
                }
            }
        }
    }
    before_main
};

/// A command that finds everything as this process did.
pub(crate) fn command(words: impl IntoIterator<Item = OsString>) -> CommandSpec {
    let mut words = words.into_iter();
    let mut command = CommandSpec::new(words.next().unwrap_or_default())
        .args(words)
        .ignore_sigpipe(SIGPIPE_IGNORED.load(Ordering::Relaxed));
    if !SIGXFSZ_IGNORED.load(Ordering::Relaxed) {
        command = command.default_signal(libc::SIGXFSZ);
    }
    match initial_environment() {
        Some(env) => command.env(env),
        None => command,
    }
}

/// The environment as `NAME=value` strings where it is not the one of this process: in a binary with file
/// capabilities the loader has removed `LD_LIBRARY_PATH` and others before `main`.
fn initial_environment() -> Option<Vec<OsString>> {
    // SAFETY: the call reads the auxiliary vector and takes no pointer.
    if unsafe { libc::getauxval(libc::AT_SECURE) } == 0 {
        return None;
    }
    // Such a process is not dumpable, which makes /proc/self another's. It is no weaker for being dumpable: who wants
    // to trace it must have its capabilities.
    // SAFETY: the call takes integers only.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) };
    let bytes = std::fs::read("/proc/self/environ").ok()?;
    Some(
        bytes
            .split(|byte| *byte == 0)
            .filter(|entry| !entry.is_empty())
            .map(|entry| OsString::from_vec(entry.to_vec()))
            .collect(),
    )
}
