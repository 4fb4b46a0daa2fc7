//! `load-filter FILE`: installs the compiled filter of a file with seccomp(2) and says what two calls return under it.

use std::io::Write;

use nix::errno::Errno;
use nix::libc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args_os().nth(1).ok_or("usage: load-filter FILE")?;
    let bytes = std::fs::read(file)?;
    let mut filter: Vec<libc::sock_filter> = bytes
        .chunks_exact(8)
        .map(|i| libc::sock_filter {
            code: u16::from_ne_bytes([i[0], i[1]]),
            jt: i[2],
            jf: i[3],
            k: u32::from_ne_bytes([i[4], i[5], i[6], i[7]]),
        })
        .collect();
    let program = libc::sock_fprog { len: u16::try_from(filter.len())?, filter: filter.as_mut_ptr() };
    // SAFETY: the call takes integers only.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) })?;
    // SAFETY: `program` points to `filter`, and both live across the call, which copies them.
    let installed = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, std::ptr::from_ref(&program))
    };
    Errno::result(installed)?;
    // SAFETY: these calls take nothing and change nothing.
    let (pid, ppid) = unsafe { (libc::syscall(libc::SYS_getpid), libc::syscall(libc::SYS_getppid)) };
    let said =
        |result: libc::c_long| Errno::result(result).map_or_else(|e| format!("{e:?}"), |_| "allowed".into());
    let ppid = said(ppid);
    let text = format!("getpid: {}\ngetppid: {ppid}\n", said(pid));
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
