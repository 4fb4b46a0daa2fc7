//! What libbpf-rs leaves to its users: the counters of a program, and what libbpf has to say when it fails.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use libbpf_rs::skel::SkelBuilder;
use libbpf_rs::{PrintLevel, libbpf_sys};

use crate::Error;

/// Runs of a program that the kernel skipped because it was active on that CPU already.
pub(crate) fn recursion_misses(program: BorrowedFd<'_>) -> Result<u64, Error> {
    program_info(program).map(|info| info.recursion_misses)
}

/// What the kernel says of a program.
pub(crate) fn program_info(program: BorrowedFd<'_>) -> Result<libbpf_sys::bpf_prog_info, Error> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut len = u32::try_from(size_of_val(&info)).unwrap_or(u32::MAX);
    // SAFETY: `info` is a plain C struct of `len` bytes that lives across the call; its pointers are null and
    // their lengths zero, so the kernel writes nowhere else.
    let result = unsafe { libbpf_sys::bpf_prog_get_info_by_fd(program.as_raw_fd(), &mut info, &mut len) };
    if result != 0 {
        return Err(Error::system("read what the kernel says of a BPF program")(
            std::io::Error::last_os_error(),
        ));
    }
    Ok(info)
}

/// libbpf's warnings, kept for the error message instead of being printed.
static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// How many of them are kept.
const LOG_LINES: usize = 12;

/// Keeps libbpf's warnings from here on instead of printing them. All that it says goes to whoever traces us.
pub(crate) fn quiet_libbpf() {
    #[expect(clippy::needless_pass_by_value, reason = "the type of libbpf-rs's callback")]
    fn keep(level: PrintLevel, text: String) {
        if level != PrintLevel::Warn {
            return tracing::trace!(target: "libbpf", "{}", text.trim_end());
        }
        tracing::debug!(target: "libbpf", "{}", text.trim_end());
        let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == LOG_LINES {
            log.remove(0);
        }
        log.push(text.trim_end().to_owned());
    }
    LOG.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let traced = tracing::enabled!(target: "libbpf", tracing::Level::TRACE);
    libbpf_rs::set_print(Some((if traced { PrintLevel::Debug } else { PrintLevel::Warn }, keep)));
}

/// Lets libbpf find the kernel's types where there are few.
pub(crate) fn speed_up<'obj, B: SkelBuilder<'obj>>(mut builder: B) -> Result<B, libbpf_rs::Error> {
    if let Some(path) = crate::btf::path() {
        builder.object_builder_mut().btf_custom_path(path)?;
    }
    Ok(builder)
}

/// An error of loading, explained from the machine's facts where they tell.
pub(crate) fn load_error(source: libbpf_rs::Error) -> Error {
    let errno = std::io::Error::last_os_error().raw_os_error();
    let facts = crate::probe::Facts::read();
    let btf = crate::probe::BtfFacts::read();
    match crate::config::explain(&facts, btf.as_ref(), errno) {
        Some(refusal) => Error::Refused(refusal),
        None => Error::Load {
            source,
            log: std::mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner)),
        },
    }
}
