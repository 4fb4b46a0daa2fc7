// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Puts tasks that exist already under observation, and counts those that are.
 *
 * The loader gives the target's leader its storage through a pidfd, then reads
 * `adopt` until a pass adds nothing: a task belongs to the target if its thread
 * group's leader or its parent does. New tasks are caught by task_newtask, which
 * is attached before. An object of its own, because it is loaded only to attach.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "maps.h"

const volatile u32 slot = 0;
const volatile u32 generation = 0;

/* Results of the pass; the loader clears them before it. */
u64 added = 0;
u64 failed = 0;
u64 alive = 0;

static __always_inline struct member *member_of(struct task_struct *task)
{
	struct member *self;

	if (!task || !task->bpf_storage)
		return NULL;
	self = bpf_task_storage_get(&tasks, task, NULL, 0);
	if (!self || self->slot != slot || self->generation != generation)
		return NULL;
	return self;
}

SEC("iter/task")
int adopt(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	u32 index = slot;

	if (!task || (task->flags & PF_EXITING) || member_of(task))
		return 0;

	/* A thread joins with its leader, a leader with its parent. */
	struct member *leader = member_of(task->group_leader);
	struct member *from = leader;

	if (!from && task->pid == task->tgid)
		from = member_of(task->real_parent);

	struct target *target = bpf_map_lookup_elem(&targets, &index);

	if (!from || !target)
		return 0;

	struct member *self =
		bpf_task_storage_get(&tasks, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!self) {
		/* The next pass tries again. */
		__sync_fetch_and_add(&failed, 1);
		return 0;
	}
	/* Another instance's or an old target's member is left where it is. */
	if (self->generation && self->generation != generation)
		return 0;
	*self = *from;
	self->filters = task->seccomp.filter_count.counter;
	__sync_fetch_and_add(&target->live, 1);
	if (!leader) {
		self->flags &= ~MEMBER_INIT;
		__sync_fetch_and_add(&target->processes, 1);
	}
	__sync_fetch_and_add(&added, 1);
	return 0;
}

/* The number of members that can still make a syscall. */
SEC("iter/task")
int census(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;

	if (task && !(task->flags & PF_EXITING) && member_of(task))
		__sync_fetch_and_add(&alive, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
