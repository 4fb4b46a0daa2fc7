/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call in the registers of the thread that makes it. */
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

/* The number at the end of a call, when it is no argument of the program any more. */
static __always_inline long number_of(struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return (s32)regs->orig_ax;
#elif defined(__TARGET_ARCH_arm64)
	return regs->syscallno;
#endif
}

static __always_inline u64 argument(struct pt_regs *regs, u32 abi, u32 index)
{
#if defined(__TARGET_ARCH_x86)
	if (abi == ABI_COMPAT) {
		switch (index) {
		case 0:
			return (u32)regs->bx;
		case 1:
			return (u32)regs->cx;
		case 2:
			return (u32)regs->dx;
		case 3:
			return (u32)regs->si;
		case 4:
			return (u32)regs->di;
		default:
			return (u32)regs->bp;
		}
	}
	switch (index) {
	case 0:
		return regs->di;
	case 1:
		return regs->si;
	case 2:
		return regs->dx;
	case 3:
		return regs->r10;
	case 4:
		return regs->r8;
	default:
		return regs->r9;
	}
#elif defined(__TARGET_ARCH_arm64)
	u64 value;

	switch (index) {
	case 0:
		/* As seccomp sees it; regs[0] becomes the result. */
		value = regs->orig_x0;
		break;
	case 1:
		value = regs->regs[1];
		break;
	case 2:
		value = regs->regs[2];
		break;
	case 3:
		value = regs->regs[3];
		break;
	case 4:
		value = regs->regs[4];
		break;
	default:
		value = regs->regs[5];
	}
	return abi == ABI_COMPAT ? (u32)value : value;
#endif
}
