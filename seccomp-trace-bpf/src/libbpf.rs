//! What libbpf-rs leaves to its users: the counters of a program, and what libbpf has to say when it fails.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use libbpf_rs::skel::SkelBuilder;
use libbpf_rs::{ErrorKind, MapCore, MapFlags, PrintLevel, libbpf_sys};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::Pid;

use crate::Error;
use crate::config::Refusal;
use crate::launch::pidfd_open;

/// How often a task is offered storage while the kernel asks for another try.
const STORAGE_TRIES: usize = 1000;

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

/// Fails where the kernel gives tasks no storage in this map, which programs would otherwise find out one by one. Done
/// before anything is attached: this process has storage for a moment.
pub(crate) fn try_storage(tasks: &impl MapCore) -> Result<(), Error> {
    let own = pidfd_open(Pid::this()).map_err(Error::system("open a pidfd of this process"))?;
    let value = vec![0; tasks.value_size() as usize];
    give_storage(tasks, own.as_fd(), &value).map_err(storage_error)?;
    tasks.delete(&own.as_raw_fd().to_ne_bytes()).map_err(Error::map("tasks"))
}

/// Gives the process that `pidfd` refers to storage in a map, which it must not have yet. The kernel says EAGAIN while
/// its storage in somebody else's map comes or goes, as it does when two begin or end to observe one process
/// (`bpf_local_storage_update`): a moment, in which others are let run.
pub(crate) fn give_storage(
    tasks: &impl MapCore,
    pidfd: BorrowedFd<'_>,
    value: &[u8],
) -> Result<(), libbpf_rs::Error> {
    let key = pidfd.as_raw_fd().to_ne_bytes();
    let give = || tasks.update(&key, value, MapFlags::NO_EXIST);
    for _ in 0..STORAGE_TRIES {
        match give() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            given => return given,
        }
    }
    give()
}

/// An error of giving a task storage, explained from the machine's facts where they tell.
fn storage_error(source: libbpf_rs::Error) -> Error {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or_default();
    let facts = crate::probe::Facts::read();
    match crate::config::explain_storage(&facts, crate::probe::double_word_swap(), errno) {
        Some(refusal) => Error::Refused(refusal),
        None => Error::Map { map: "tasks", source },
    }
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

/// The number of open files that [`Refusal::OpenFiles`] asks for.
const ENOUGH_FILES: u64 = 128;

/// An error of loading. That takes some sixty descriptors; where they ran out, whatever failed failed for that.
pub(crate) fn blame_few_files(error: Error) -> Error {
    let errno = std::io::Error::last_os_error().raw_os_error();
    let ran_out = matches!(errno, Some(nix::libc::EMFILE | nix::libc::ENFILE));
    // libbpf goes on without a descriptor that it can do without, and fails later for another reason.
    let few = || getrlimit(Resource::RLIMIT_NOFILE).is_ok_and(|(soft, _)| soft < ENOUGH_FILES);
    if ran_out || few() { Refusal::OpenFiles.into() } else { error }
}
