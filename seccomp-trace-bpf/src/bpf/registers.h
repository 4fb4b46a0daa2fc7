/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call in the registers of the thread that makes it. */
#pragma once
#include "abi.h"

/* The number that a task entered the kernel with; negative: by no call, or by one that was skipped.
 */
static __always_inline long number_of(const struct pt_regs *regs)
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
