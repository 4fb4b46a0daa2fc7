/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of a machine's syscall tables a call's number belongs to. */
#pragma once

static __always_inline u32 abi_of(struct task_struct *task, long *id)
{
#if defined(__TARGET_ARCH_x86)
	/* TS_COMPAT, not cs: int 0x80 from 64-bit code is an i386 call. */
	if (task->thread_info.status & 2)
		return ABI_COMPAT;
	/* __X32_SYSCALL_BIT; a negative number is no x32 call. */
	if (*id > 0 && (*id & 0x40000000)) {
		*id &= ~0x40000000;
		return ABI_X32;
	}
	return ABI_NATIVE;
#elif defined(__TARGET_ARCH_arm64)
	/* TIF_32BIT */
	return (task->thread_info.flags >> 22) & 1 ? ABI_COMPAT : ABI_NATIVE;
#else
#error "no rule for this architecture's syscall ABIs"
#endif
}
