//! Whether the kernel may preempt a program where it is attached.

use std::os::fd::{FromRawFd, OwnedFd};

use libbpf_rs::libbpf_sys;

/// `BPF_MOV64_IMM(BPF_REG_0, 0)` and `BPF_EXIT_INSN()`, as `include/linux/filter.h` makes them.
const RETURN_0: [u8; 2] = [0xb7, 0x95];

/// Whether programs on the tracepoint of system calls run with preemption on. They do where sleepable ones may be
/// attached (since 7.2), so one is loaded, attached to nothing, and let go.
///
/// While such a program is preempted, the kernel skips it for every other task on that CPU.
pub(crate) fn is_possible() -> bool {
    let Some(attach_btf_id) = sys_enter() else { return false };
    let instructions = RETURN_0.map(|code| libbpf_sys::bpf_insn { code, ..libbpf_sys::bpf_insn::default() });
    let mut options = libbpf_sys::bpf_prog_load_opts {
        sz: size_of::<libbpf_sys::bpf_prog_load_opts>() as libbpf_sys::size_t,
        attempts: 1,
        expected_attach_type: libbpf_sys::BPF_TRACE_RAW_TP,
        attach_btf_id,
        prog_flags: libbpf_sys::BPF_F_SLEEPABLE,
        ..libbpf_sys::bpf_prog_load_opts::default()
    };
    // SAFETY: the name may be null; the licence ends with a zero byte; `instructions` and `options`, with their sizes,
    // live across the call, and the pointers in `options` are null.
    let fd = unsafe {
        libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_TRACING,
            std::ptr::null(),
            c"GPL".as_ptr(),
            instructions.as_ptr(),
            instructions.len() as libbpf_sys::size_t,
            &mut options,
        )
    };
    if fd < 0 {
        return false;
    }
    // SAFETY: the kernel has just given us this descriptor, and nobody else has it.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    true
}

/// Whether programs on the other tracepoints do. Since 7.0, as was seen by booting one kernel after the other
/// (docs/kernels.md); nothing in the kernel's types tells.
pub(crate) fn is_possible_elsewhere() -> bool {
    major(&crate::probe::release()).is_none_or(|major| major >= 7)
}

fn major(kernel: &str) -> Option<u32> {
    kernel.split('.').next()?.parse().ok()
}

/// The number that the tracepoint of system calls has in the kernel's BTF.
fn sys_enter() -> Option<u32> {
    crate::btf::sys_enter().or_else(|| {
        // SAFETY: the name ends with a zero byte, and is only read.
        let id = unsafe {
            libbpf_sys::libbpf_find_vmlinux_btf_id(c"sys_enter".as_ptr(), libbpf_sys::BPF_TRACE_RAW_TP)
        };
        u32::try_from(id).ok().filter(|id| *id != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn the_first_number_of_a_release_is_read() {
        assert_eq!(major("6.1.0-56-cloud-amd64"), Some(6));
        assert_eq!(major("7.3.4\n"), Some(7));
        assert_eq!(major("10.0-rc1"), Some(10));
        assert_eq!(major(""), None);
    }
}
