/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Membership and phases: tasks are born into their parent's target, an exec
 * starts the workload, and the last exit ends the target. None of these is on
 * the path of a syscall.
 */
#pragma once
#include "container.h"
#include "lineage.h"

SEC("tp_btf/task_newtask")
int BPF_PROG(on_newtask, struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct member *from = NULL;

	if (parent->bpf_storage) {
		from = bpf_task_storage_get(&tasks, parent, NULL, 0);
		if (!from)
			not_found(parent);
	}
	if (!from && containers && (whole_cgroups || (clone_flags & CLONE_INTO_CGROUP)))
		born_of_stranger(child, clone_flags);
	if (!from && is_adopting())
		from = member_above(parent);
	if (!from)
		return 0;

	struct target *target = target_of(from);
	struct member self = *from;

	if (!target || target->generation != self.generation)
		return 0;
	/* The seeding may have been here first: a new task is in the list before it is told. */
	if (is_member(child))
		return 0;
	self.flags &= ~MEMBER_INSIDE;
	if (!(clone_flags & CLONE_THREAD))
		self.flags = flags_of_child(&self);
	if (!bpf_task_storage_get(&tasks, child, &self, BPF_LOCAL_STORAGE_GET_F_CREATE)) {
		__sync_fetch_and_add(&target->storage_failures, 1);
		return 0;
	}
	__sync_fetch_and_add(&target->live, 1);
	if (!(clone_flags & CLONE_THREAD))
		__sync_fetch_and_add(&target->processes, 1);
	return 0;
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

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct member *self = NULL;

	if (task->bpf_storage) {
		self = bpf_task_storage_get(&tasks, task, NULL, 0);
		if (!self)
			not_found(task);
	}
	if (!self)
		return containers ? exec_of_stranger(task) : 0;

	struct target *target = target_of(self);
	u64 now = bpf_ktime_get_boot_ns();

	if (!target)
		return 0;
	if (self->phase != PHASE_WORKLOAD && !begin_workload(task, self, target, now))
		return 0;
	if (target->flags & TARGET_EVENTS) {
		struct event event = {.kind = EVENT_EXEC, .who.time_ns = now};

		emit(target, self, &event, 0);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct member *self = NULL;

	if (task->bpf_storage) {
		self = bpf_task_storage_get(&tasks, task, NULL, 0);
		if (!self)
			not_found(task);
	}
	if (!self) {
		if (is_adopting())
			leaves_orphans(task);
		return 0;
	}

	struct target *target = target_of(self);

	if (!target || target->generation != self->generation)
		return 0;
	if (__sync_fetch_and_add(&target->live, -1) == 1) {
		struct event event = {.kind = EVENT_ENDED, .who.time_ns = bpf_ktime_get_boot_ns()};

		target->ended_ns = event.who.time_ns;
		emit(target, self, &event, BPF_RB_FORCE_WAKEUP);
	}
	return 0;
}
