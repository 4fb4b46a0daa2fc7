//! Whether the kernel may preempt a program where it is attached.

use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};

use libbpf_rs::libbpf_sys;

/// `BPF_MOV64_IMM(BPF_REG_0, 0)` and `BPF_EXIT_INSN()`, as `include/linux/filter.h` makes them.
const RETURN_0: [u8; 2] = [0xb7, 0x95];

/// Whether programs run with preemption on where this one attaches to the kernel. They do where sleepable ones may be
/// attached (system calls since 7.2), so one is loaded, attached to nothing, and let go.
///
/// While such a program is preempted, the kernel skips it for every other task on that CPU.
pub(crate) fn is_possible(program: BorrowedFd<'_>) -> bool {
    let Some(attach_btf_id) = attach_btf_id(program) else { return false };
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

/// The id of what a program attaches to, in the kernel's BTF; `None` where the kernel does not say (before 6.0).
fn attach_btf_id(program: BorrowedFd<'_>) -> Option<u32> {
    let info = crate::libbpf::program_info(program).ok()?;
    (info.attach_btf_id != 0).then_some(info.attach_btf_id)
}
