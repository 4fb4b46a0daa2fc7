/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Membership: who has storage, and what of it a child gets. */
#pragma once
#include "maps.h"

/*
 * Whether a task has storage of anybody, for programs that are not on the path of a
 * syscall. Not task->bpf_storage: since 6.4 the verifier walks through the kernel's
 * whole BTF, four times a millisecond and more, for each pointer that is read like
 * that, each time it meets the instruction.
 */
static __always_inline bool has_storage(struct task_struct *task)
{
	return BPF_CORE_READ(task, bpf_storage) != NULL;
}

/* Tells a task's execs apart; 0: this kernel does not say. */
static __always_inline u32 exec_id_of(struct task_struct *task)
{
	return bpf_core_field_exists(task->self_exec_id) ? (u32)task->self_exec_id : 0;
}

/*
 * What sched_wakeup_new does not tell of a new task: whether task_newtask told it (workers
 * that a kernel thread or io_uring makes are not, and make no calls), and as what.
 */
static __always_inline bool was_told(struct task_struct *child)
{
	return !(child->flags & (PF_IO_WORKER | PF_USER_WORKER));
}

static __always_inline u64 thread_flag_of(struct task_struct *child)
{
	return child->pid == child->tgid ? 0 : CLONE_THREAD;
}

static __always_inline struct target *target_of(const struct member *self)
{
	u32 slot = self->slot;

	return bpf_map_lookup_elem(&targets, &slot);
}

static __always_inline bool is_member(struct task_struct *task)
{
	return has_storage(task) && bpf_task_storage_get(&tasks, task, NULL, 0);
}

/*
 * A child of init is not init. What a runtime runs in setup in the place of
 * init, and has no filter, are hooks of others (createContainer).
 */
static __always_inline u8 flags_of_child(const struct member *parent)
{
	u8 flags = parent->flags & ~MEMBER_INIT;

	if ((parent->flags & MEMBER_INIT) && (parent->flags & MEMBER_PHASED) &&
	    parent->phase == PHASE_SETUP)
		flags |= MEMBER_ASIDE;
	return flags;
}

/* Makes a new task a member of its parent's target, or of another ancestor's. */
static __always_inline void join(struct task_struct *child, const struct member *from,
				 struct target *target, u64 clone_flags)
{
	struct member self = *from;

	self.flags &= ~MEMBER_INSIDE;
	if (!(clone_flags & CLONE_THREAD))
		self.flags = flags_of_child(&self);
	if (!bpf_task_storage_get(&tasks, child, &self, BPF_LOCAL_STORAGE_GET_F_CREATE)) {
		__sync_fetch_and_add(&target->storage_failures, 1);
		return;
	}
	__sync_fetch_and_add(&target->live, 1);
	if (!(clone_flags & CLONE_THREAD))
		__sync_fetch_and_add(&target->processes, 1);
}
