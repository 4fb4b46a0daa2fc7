/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a task was in the middle of when it was adopted: its entry was not seen. */
#pragma once
#include "rows.h"
#include "registers.h"
#include "capture.h"

/* The ABI of that call. A task that runs in user mode has left the call, and with it TS_COMPAT. */
static __always_inline u32 abi_in_flight(struct task_struct *task, const struct pt_regs *regs,
					 long *id)
{
#if defined(__TARGET_ARCH_x86)
	/* __USER32_CS */
	if ((u16)regs->cs == 0x23)
		return ABI_COMPAT;
#endif
	return abi_of(task, id);
}

static __always_inline void note_who(struct first_row *firsts, u64 nr, struct task_struct *task)
{
	struct first_seen *who = &firsts->nr[nr];

	if (__sync_val_compare_and_swap(&who->time_ns, 0, bpf_ktime_get_boot_ns()))
		return;
	who->tgid = task->tgid;
	who->tid = task->pid;
	bpf_probe_read_kernel_str(who->comm, sizeof(who->comm), task->comm);
}

/*
 * A task that does not run at this moment is where its saved registers say. Of one
 * that does, they are those of its last entry: the call that it is in, or has just
 * left. Both count, since the kernel does not tell them apart from outside.
 */
static __noinline int note_call_in_flight(struct task_struct *task, struct member *self)
{
	/* 5.15 */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;

	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	long id = number_of(regs);
	u32 index = self->row + abi_in_flight(task, regs, &id);
	u64 nr = (u32)id;
	struct seen_row *row = bpf_map_lookup_elem(&seen, &index);
	struct first_row *firsts = bpf_map_lookup_elem(&first, &index);

	if (id < 0 || nr >= NR_MAX || !row || !firsts)
		return 0;
	if (row->nr[nr] & SEEN_CAPTURES)
		capture(regs, self, row, index, nr);
	if (row->nr[nr] & SEEN)
		return 0;
	note_who(firsts, nr, task);
	row->nr[nr] |= SEEN;
	return 0;
}
