/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Membership and phases: tasks are born into their parent's target, an exec
 * starts the workload, and the last exit ends the target. None of these is on
 * the path of a syscall. Each may be told twice (spares.h).
 */
#pragma once
#include "container.h"

/* A task that the current one has made. */
static __always_inline int born(struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct member *from = NULL;

	/* The seeding may have been here first: a new task is in the list before it is told. */
	if (is_member(child))
		return 0;
	if (has_storage(parent)) {
		from = bpf_task_storage_get(&tasks, parent, NULL, 0);
		if (!from)
			not_found(parent);
	}
	if (!from && containers && (whole_cgroups || (clone_flags & CLONE_INTO_CGROUP)))
		born_of_stranger(child, clone_flags);
	if (!from)
		return 0;

	struct target *target = target_of(from);

	if (target && target->generation == from->generation)
		join(child, from, target, clone_flags);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_newtask, struct task_struct *child, u64 clone_flags)
{
	return born(child, clone_flags);
}

/* The exec of a member that is not in the workload yet. False: it is no member any more. */
static __always_inline bool begin_workload(struct task_struct *task, struct member *self,
					   struct target *target, u64 now)
{
	if (self->flags & MEMBER_INIT) {
		enter_phase(self, PHASE_WORKLOAD);
		target->exec_ns = now;
	} else if (containers && (self->flags & MEMBER_ENTERING)) {
		if (is_inside(task, target)) {
			self->flags &= ~MEMBER_ENTERING;
			enter_phase(self, PHASE_WORKLOAD);
		} else {
			/* It shares the cgroup, and runs elsewhere. */
			__sync_fetch_and_add(&target->live, -1);
			bpf_task_storage_delete(&tasks, task);
			return false;
		}
	}
	return true;
}

/* The current task has executed a program. */
static __always_inline int executed(struct task_struct *task)
{
	struct member *self = NULL;

	if (has_storage(task)) {
		self = bpf_task_storage_get(&tasks, task, NULL, 0);
		if (!self)
			not_found(task);
	}
	if (!self)
		return containers ? exec_of_stranger(task) : 0;

	struct target *target = target_of(self);
	u64 now = bpf_ktime_get_boot_ns();
	u32 exec_id = exec_id_of(task);

	if (!target || (exec_id && self->exec_id == exec_id))
		return 0;
	self->exec_id = exec_id;
	if (self->phase != PHASE_WORKLOAD && !begin_workload(task, self, target, now))
		return 0;
	if (target->flags & TARGET_EVENTS) {
		struct event event = {.kind = EVENT_EXEC, .who.time_ns = now};

		emit(target, self, &event, 0);
	}
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	return executed(task);
}

/* A task has exited. */
static __always_inline int ended(struct task_struct *task)
{
	struct member *self = NULL;

	if (has_storage(task)) {
		self = bpf_task_storage_get(&tasks, task, NULL, 0);
		if (!self)
			not_found(task);
	}
	if (!self)
		return 0;

	struct target *target = target_of(self);

	if (!target || target->generation != self->generation || (self->flags & MEMBER_ENDED))
		return 0;
	self->flags |= MEMBER_ENDED;
	if (__sync_fetch_and_add(&target->live, -1) == 1) {
		struct event event = {.kind = EVENT_ENDED, .who.time_ns = bpf_ktime_get_boot_ns()};

		target->ended_ns = event.who.time_ns;
		emit(target, self, &event, BPF_RB_FORCE_WAKEUP);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	return ended(task);
}
