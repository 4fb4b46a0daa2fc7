/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Membership and phases: tasks are born into their parent's target, an exec
 * starts the workload, and the last exit ends the target. None of these is on
 * the path of a syscall.
 */
#pragma once

SEC("tp_btf/task_newtask")
int BPF_PROG(on_newtask, struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();

	if (!parent->bpf_storage)
		return 0;

	struct member *from = bpf_task_storage_get(&tasks, parent, NULL, 0);

	if (!from)
		return not_found(parent);

	struct target *target = target_of(from);

	if (!target)
		return 0;

	struct member *self =
		bpf_task_storage_get(&tasks, child, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!self) {
		__sync_fetch_and_add(&target->storage_failures, 1);
		return 0;
	}
	*self = *from;
	__sync_fetch_and_add(&target->live, 1);
	if (!(clone_flags & CLONE_THREAD)) {
		self->flags &= ~MEMBER_INIT;
		__sync_fetch_and_add(&target->processes, 1);
	}
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	if (!task->bpf_storage)
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);

	struct target *target = target_of(self);
	u64 now = bpf_ktime_get_boot_ns();

	if (!target)
		return 0;
	if (self->phase != PHASE_WORKLOAD && (self->flags & MEMBER_INIT)) {
		enter_phase(self, PHASE_WORKLOAD);
		target->exec_ns = now;
	}
	if (target->flags & TARGET_EVENTS) {
		struct event event = {.kind = EVENT_EXEC, .who.time_ns = now};

		emit(target, self, &event, 0);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (!task->bpf_storage)
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);

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
