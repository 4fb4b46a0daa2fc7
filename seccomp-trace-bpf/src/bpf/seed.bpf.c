// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Walks over the tasks that exist already: puts those of a target under
 * observation, counts them, and lets them go.
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
#include "place.h"

const volatile u32 slot = 0;
const volatile u32 generation = 0;
/* The target is a container whose init waits before its filter and its exec. */
const volatile bool container = false;

/* Results of the pass; the loader clears them before it. */
u64 added = 0;
u64 failed = 0;
u64 alive = 0;
u64 evicted = 0;
/* Where the container's init is. leader: its process id; 0: it was not found. */
u64 leader = 0;
u64 mount_ns = 0;
u64 cgroup2 = 0;
u64 cgroup2_parent = 0;
u64 pids_cgroup = 0;

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

/* What the loader could not know of the leader when it gave it its storage. */
static __always_inline void complete_leader(struct task_struct *task, struct member *self,
					    struct target *target)
{
	struct cgroup *cgroup = cgroup2_of(task), *pids = pids_cgroup_of(task);

	leader = task->tgid;
	mount_ns = mount_ns_of(task);
	cgroup2 = BPF_CORE_READ(cgroup, kn, id);
	cgroup2_parent = BPF_CORE_READ(cgroup, self.parent, cgroup, kn, id);
	if (pids && hierarchy_of(pids) == ENTRANCE_PIDS)
		pids_cgroup = BPF_CORE_READ(pids, kn, id);
	target->mount_ns = mount_ns;
	if (!(self->flags & MEMBER_PHASED)) {
		self->filters = task->seccomp.filter_count.counter;
		self->flags |= MEMBER_PHASED;
	}
}

SEC("iter/task")
int adopt(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	u32 index = slot;
	struct target *target = bpf_map_lookup_elem(&targets, &index);

	if (!task || !target || (task->flags & PF_EXITING))
		return 0;

	struct member *known = member_of(task);

	if (known) {
		if (container && task->pid == task->tgid && (known->flags & MEMBER_INIT))
			complete_leader(task, known, target);
		return 0;
	}

	/* A thread joins with its leader, a leader with its parent. */
	struct member *of_group = member_of(task->group_leader);
	struct member *from = of_group;

	if (!from && task->pid == task->tgid)
		from = member_of(task->real_parent);
	if (!from)
		return 0;

	struct member value = *from;

	value.filters = task->seccomp.filter_count.counter;
	if (container)
		value.flags |= MEMBER_PHASED;
	if (!of_group) {
		if (container && (value.flags & MEMBER_INIT))
			value.flags |= MEMBER_ASIDE;
		value.flags &= ~MEMBER_INIT;
	}

	/* The value comes with the storage: the task is running meanwhile. */
	struct member *self =
		bpf_task_storage_get(&tasks, task, &value, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!self) {
		/* The next pass tries again. */
		__sync_fetch_and_add(&failed, 1);
		return 0;
	}
	/* Another target's member is left where it is. */
	if (self->slot != slot || self->generation != generation)
		return 0;
	__sync_fetch_and_add(&target->live, 1);
	if (!of_group)
		__sync_fetch_and_add(&target->processes, 1);
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

/* Lets the members go, so that none of them writes into the slot any more. */
SEC("iter/task")
int evict(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;

	if (task && member_of(task) && !bpf_task_storage_delete(&tasks, task))
		__sync_fetch_and_add(&evicted, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
