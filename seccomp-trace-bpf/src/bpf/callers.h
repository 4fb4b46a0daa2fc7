/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether a thread is inside a call, and what there is that can answer its calls. */
#pragma once

/* include/linux/seccomp.h; since 5.17 */
#define SECCOMP_MODE_DEAD 3
/* include/linux/sched/signal.h: the process as a whole is ending; the second one until 5.16 */
#define SIGNAL_GROUP_ENDS (4 | 8)
#define SIGKILL		  9
#define SIGSYS		  31

/* Where a thread is, as its last event told. */
enum place {
	OUTSIDE,
	INSIDE,
	BORN, /* made by a call whose end it may be seen to reach itself */
	DENIED_DEAD,
};

struct caller {
	u32 generation;
	s32 filters; /* those that are not of the program's own making */
	s32 born_by; /* the number of that call */
	u16 slot;
	u16 place;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct caller);
} callers SEC(".maps");

static __always_inline struct caller *new_caller(struct task_struct *task,
						 const struct member *self, struct caller *value)
{
	value->generation = self->generation;
	value->slot = self->slot;

	struct caller *caller =
		bpf_task_storage_get(&callers, task, value, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct denied_losses *losses = losses_of(self->slot);

	if (caller)
		*caller = *value;
	else if (losses)
		__sync_fetch_and_add(&losses->storage_failures, 1);
	return caller;
}

/* The caller as it was left; NULL where nothing is known of it under this observation. */
static __always_inline struct caller *caller_of(struct task_struct *task, const struct member *self)
{
	struct caller *caller = bpf_task_storage_get(&callers, task, NULL, 0);

	if (!caller || caller->generation != self->generation || caller->slot != self->slot)
		return NULL;
	/* What is installed before the workload is what it is observed under. */
	if (self->phase != PHASE_WORKLOAD)
		caller->filters = task->seccomp.filter_count.counter;
	return caller;
}

/* Of a launched command that has not been executed. What enters a container is confined by then. */
static __always_inline bool is_launcher(const struct member *self)
{
	return self->phase == PHASE_SETUP && !(self->flags & MEMBER_PHASED);
}

static __always_inline bool is_pending(struct task_struct *task, u32 signal)
{
	return (task->pending.signal.sig[0] >> (signal - 1)) & 1;
}

/* Whether a tracer answers the calls itself; it may have stopped to since. */
static __always_inline bool is_emulated(struct task_struct *task)
{
	if (bpf_core_field_exists(struct thread_info, syscall_work))
		return (task->thread_info.syscall_work >>
			bpf_core_enum_value(enum syscall_work_bit, SYSCALL_WORK_BIT_SYSCALL_EMU)) &
		       1;
#if defined(__TARGET_ARCH_arm64)
	/* TIF_SYSCALL_EMU */
	return (task->thread_info.flags >> 12) & 1;
#else
	return false;
#endif
}

static __always_inline u16 circumstances(struct task_struct *task, const struct member *self,
					 const struct caller *caller)
{
	u16 all = 0;

	if (is_launcher(self))
		all |= DURING_SETUP;
	if (caller && task->seccomp.filter_count.counter > caller->filters)
		all |= DURING_FILTERS;
	if (task->ptrace)
		all |= DURING_TRACE;
	if (is_emulated(task))
		all |= DURING_EMULATION;
	return all;
}
