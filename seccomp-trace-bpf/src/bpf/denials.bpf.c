// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Sees which calls of the traced tasks are not executed.
 *
 * A call that seccomp denies ends (sys_exit) without having begun (sys_enter),
 * since the kernel asks the filters in between. A thread that dies for its call
 * while others of its process live does not even end it, and is met at its own
 * exit. Calls that are watched are noted where they begin.
 *
 * An object of its own, loaded only where denials are asked for: sys_exit costs
 * every process on the machine something.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "denials.h"
#include "maps.h"
#include "registers.h"
#include "denied.h"
#include "callers.h"

/* Set by the loader; what is off is pruned by the verifier. */
const volatile bool watching = false;

#define MAX_ERRNO 4095

/* Calls that are noted though they are executed, by ABI. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ABIS);
	__type(key, u32);
	__type(value, struct watch_row);
} watched SEC(".maps");

const enum answer *unused_answer __attribute__((unused));
const enum circumstances *unused_circumstances __attribute__((unused));
const enum watch_flags *unused_watch_flags __attribute__((unused));

static __noinline int watch(struct task_struct *task, struct pt_regs *regs, struct member *self,
			    long id)
{
	u32 abi = abi_of(task, &id);
	struct watch_row *row = bpf_map_lookup_elem(&watched, &abi);
	u64 nr = (u32)id;

	if (!row)
		return 0;

	u8 how = nr < NR_MAX ? row->nr[nr] : row->others;
	struct denied_key key = {
		.slot = self->slot,
		.nr = (s32)id,
		.abi = abi,
		.answer = ANSWER_EXECUTED,
		.circumstances = is_launcher(self) ? DURING_SETUP : 0,
	};

	return how ? note(regs, &key, how) : 0;
}

static __always_inline int began(struct task_struct *task, struct pt_regs *regs, long id)
{
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return 0;

	struct caller *caller = caller_of(task, self);
	struct caller value = {
		.filters = task->seccomp.filter_count.counter,
		.place = INSIDE,
	};

	if (caller)
		caller->place = INSIDE;
	else
		new_caller(task, self, &value);
	return watching ? watch(task, regs, self, id) : 0;
}

/* A call that has ended, or never will, without having begun. */
static __noinline int not_executed(struct task_struct *task, struct pt_regs *regs,
				   struct denied_key *key)
{
	long id = number_of(regs);

	key->abi = abi_of(task, &id);
	key->nr = (s32)id;
	return note(regs, key, WATCH_ARGS);
}

static __always_inline int ended(struct task_struct *task, struct pt_regs *regs, long result)
{
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return 0;

	struct caller *caller = caller_of(task, self);
	u16 place = caller ? caller->place : OUTSIDE;
	struct denied_key key = {.slot = self->slot};

	if (caller) {
		caller->place = OUTSIDE;
	} else {
		struct caller value = {.filters = task->seccomp.filter_count.counter};

		caller = new_caller(task, self, &value);
		key.circumstances = DURING_START;
	}
	if (place == INSIDE || task->seccomp.filter_count.counter <= 0)
		return 0;
	/* Where a new task is seen to return from the call that made it. */
	if (place == BORN && !result && caller && number_of(regs) == caller->born_by)
		return 0;
	key.circumstances |= circumstances(task, self, caller);
	if (task->seccomp.mode == SECCOMP_MODE_DEAD) {
		key.answer = ANSWER_KILLED;
		if (caller)
			caller->place = DENIED_DEAD;
	} else if (is_pending(task, SIGKILL) && task->ptrace) {
		/* It died while its tracer looked at the call, before any filter was asked. */
		return 0;
	} else if (is_pending(task, SIGSYS)) {
		key.answer = ANSWER_SIGNAL;
	} else if (result < 0 && result >= -MAX_ERRNO) {
		key.result = result;
	} else if (key.circumstances & DURING_START) {
		/* The end of a call that was under way: no filter gives such a result. */
		return 0;
	}
	return not_executed(task, regs, &key);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_call, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->bpf_storage ? began(task, regs, id) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_result, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->bpf_storage ? ended(task, regs, result) : 0;
}

/* Attached in their place where those may be preempted; see on_sys_enter_perf. */
SEC("tp/raw_syscalls/sys_enter")
int on_call_perf(struct trace_event_raw_sys_enter *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	return task->bpf_storage ? began(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->id)
				 : 0;
}

SEC("tp/raw_syscalls/sys_exit")
int on_result_perf(struct trace_event_raw_sys_exit *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	return task->bpf_storage ? ended(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->ret)
				 : 0;
}

/*
 * On x86 a new task ends the call that made it, on arm64 it does not: it has
 * that call's registers, and the first end that differs from it is its own.
 */
SEC("tp_btf/task_newtask")
int BPF_PROG(on_birth, struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct member *self;

	if (!parent->bpf_storage ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	self = bpf_task_storage_get(&tasks, parent, NULL, 0);
	if (!self)
		return 0;

	struct caller *caller = caller_of(parent, self);
	struct caller value = {.place = BORN};

	/* A kernel thread for io_uring makes no calls, and is not in one. */
	value.filters = parent->seccomp.filter_count.counter;
	/* Or the compiler makes one load of two, of pointers that the verifier keeps apart. */
	barrier_var(value.filters);
	if (caller)
		value.filters = caller->filters;
	value.born_by = number_of((struct pt_regs *)bpf_task_pt_regs(parent));
	new_caller(child, self, &value);
	return 0;
}

/* A thread that was killed for its call while others of its process live on. */
static __always_inline int died(struct task_struct *task)
{
	if (!task->bpf_storage ||
	    !bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self || task->seccomp.filter_count.counter <= 0)
		return 0;

	struct caller *caller = caller_of(task, self);
	/* Only the kernel ends a single thread so; of a process that ends, all have its status. */
	bool alone = (task->exit_code & 0x7f) == SIGSYS &&
		     !(BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_ENDS);

	if (!alone && task->seccomp.mode != SECCOMP_MODE_DEAD)
		return 0;
	if (caller && (caller->place == DENIED_DEAD || caller->place == INSIDE))
		return 0;

	struct denied_key key = {
		.slot = self->slot,
		.answer = ANSWER_KILLED,
		.circumstances = circumstances(task, self, caller),
	};

	return not_executed(task, (struct pt_regs *)bpf_task_pt_regs(task), &key);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_death, struct task_struct *task)
{
	return died(task);
}

SEC("tp/sched/sched_process_exit")
int on_death_perf(void *unused)
{
	return died(bpf_get_current_task_btf());
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
