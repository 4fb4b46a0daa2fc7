/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What only the tally asks of a task, as flavours of the kernel's types. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sigpending___tally {
	struct {
		unsigned long sig[1];
	} signal;
};

struct signal_struct___tally {
	int group_exit_code;
};

struct task_struct___tally {
	u64 start_boottime;
	struct sigpending___tally pending;
	struct signal_struct___tally *signal;
};

struct trace_event_raw_sys_exit___tally {
	long ret;
};

#pragma clang attribute pop

#define SIGKILL_MASK (1UL << 8)

/*
 * Whether a task dies before it can return to its caller, by a SIGKILL or by the
 * end of its process: then strace does not see the call's end. Other deadly
 * signals are found by the task itself, after the end of the call.
 */
static __always_inline bool is_killed(struct task_struct *task)
{
	struct task_struct___tally *self = (void *)task;
	int by = BPF_CORE_READ(self, signal, group_exit_code) & 0x7f;

	return (BPF_CORE_READ(self, pending.signal.sig[0]) & SIGKILL_MASK) && (by == 0 || by == 9);
}
