//! `confined yes|no`: makes calls that a tracer never makes, confined as one or not, and prints what each returned.
//! `confined old`: confined where maps cannot be read without `CAP_BPF`; prints the capabilities that are left.
//!
//! None of them does anything: what is not denied gets arguments that the kernel refuses.

use std::io::Write;
use std::ptr::null;

use nix::errno::Errno;
use nix::libc::{self, c_long};
use seccomp_trace_profile::confine::{Needs, confine};
use seccomp_trace_tests::privileges::{BPF as BPF_CAPABILITY, Privileges};

/// An address at which nothing is, a descriptor that nothing has, a command or flag that means nothing.
const BAD: c_long = -1;

/// From the kernel's `include/uapi/linux/bpf.h`.
const BPF: [(&str, c_long); 6] = [
    ("BPF_MAP_CREATE", 0),
    ("BPF_PROG_LOAD", 5),
    ("BPF_PROG_ATTACH", 8),
    ("BPF_MAP_GET_FD_BY_ID", 14),
    ("BPF_RAW_TRACEPOINT_OPEN", 17),
    ("BPF_LINK_CREATE", 28),
];

/// Calls with one bad argument after the other.
const CALLS: [(&str, c_long); 28] = [
    ("execve", libc::SYS_execve),
    ("execveat", libc::SYS_execveat),
    ("ptrace", libc::SYS_ptrace),
    ("process_vm_readv", libc::SYS_process_vm_readv),
    ("process_vm_writev", libc::SYS_process_vm_writev),
    ("pidfd_getfd", libc::SYS_pidfd_getfd),
    ("mount", libc::SYS_mount),
    ("umount2", libc::SYS_umount2),
    ("move_mount", libc::SYS_move_mount),
    ("open_tree", libc::SYS_open_tree),
    ("pivot_root", libc::SYS_pivot_root),
    ("chroot", libc::SYS_chroot),
    ("setns", libc::SYS_setns),
    ("unshare", libc::SYS_unshare),
    ("clone3", libc::SYS_clone3),
    ("open_by_handle_at", libc::SYS_open_by_handle_at),
    ("kexec_load", libc::SYS_kexec_load),
    ("init_module", libc::SYS_init_module),
    ("finit_module", libc::SYS_finit_module),
    ("delete_module", libc::SYS_delete_module),
    ("keyctl", libc::SYS_keyctl),
    ("mknodat", libc::SYS_mknodat),
    ("linkat", libc::SYS_linkat),
    ("symlinkat", libc::SYS_symlinkat),
    ("mkdirat", libc::SYS_mkdirat),
    ("capset", libc::SYS_capset),
    ("io_uring_setup", libc::SYS_io_uring_setup),
    ("perf_event_open", libc::SYS_perf_event_open),
];

/// The effective capabilities of this process.
fn effective() -> std::io::Result<u64> {
    Ok(Privileges::read(&std::fs::read_to_string("/proc/self/status")?).set("CapEff"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1).as_deref() {
        Some("yes") => confine(Needs::default(), || true)?,
        Some("no") => {}
        Some("old") => {
            confine(Needs::default(), || effective().is_ok_and(|set| set & BPF_CAPABILITY != 0))?;
            println!("{:x}", effective()?);
            return Ok(());
        }
        _ => return Err("usage: confined yes|no|old".into()),
    }
    let mut lines = String::new();
    let mut said = |name: &str, result: c_long| {
        let answer = Errno::result(result).map_or_else(|errno| format!("{errno:?}"), |_| "done".to_owned());
        lines.push_str(&format!("{name}: {answer}\n"));
    };
    // SAFETY: no pointer is valid, so the kernel reads and writes nothing of this process.
    let call =
        |number: c_long, first: c_long| unsafe { libc::syscall(number, first, BAD, BAD, BAD, BAD, BAD) };
    for (name, number) in CALLS {
        said(name, call(number, BAD));
    }
    for (name, command) in BPF {
        // SAFETY: a size of 0 reads nothing.
        said(name, unsafe { libc::syscall(libc::SYS_bpf, command, null::<u8>(), 0) });
    }
    for (name, family) in
        [("AF_UNIX", libc::AF_UNIX), ("AF_INET", libc::AF_INET), ("AF_NETLINK", libc::AF_NETLINK)]
    {
        // SAFETY: the call takes numbers.
        said(name, unsafe { libc::syscall(libc::SYS_socket, family, libc::SOCK_DGRAM, 0) });
    }
    // SAFETY: a new private mapping touches no other memory.
    let executable = unsafe {
        let protection = libc::PROT_READ | libc::PROT_EXEC;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        libc::syscall(libc::SYS_mmap, null::<u8>(), 4096, protection, flags, -1, 0)
    };
    said("mmap PROT_EXEC", executable);
    // SAFETY: there is no such terminal.
    said("ioctl TIOCSTI", unsafe { libc::syscall(libc::SYS_ioctl, BAD, libc::TIOCSTI, null::<u8>()) });
    // SAFETY: the child, if there is one, ends at once; it is a copy of a process with one thread.
    let forked = unsafe {
        let pid = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0);
        if pid == 0 {
            libc::_exit(0);
        }
        pid
    };
    said("clone of a process", forked);
    std::io::stdout().write_all(lines.as_bytes())?;
    // What a tracer does goes on: a thread, a file, the time.
    let read = std::thread::spawn(|| std::fs::read("/proc/self/status")).join();
    assert!(read.is_ok_and(|status| status.is_ok()), "a thread cannot read a file");
    Ok(())
}
