/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks over the tasks that exist already: puts those of a target under
 * observation, counts them, and lets them go.
 *
 * User space gives the target's leader its storage through a pidfd, then reads
 * `adopt` until a pass adds nothing: a task belongs to the target if its thread
 * group's leader or its parent does, or if it is behind one of its entrances.
 * New tasks are caught by task_newtask, which is attached before.
 */
#pragma once
#include "entrances.h"
#include "inflight.h"
#include "storage.h"

/* What the pass is about and what it found: one pass at a time. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct seed_pass);
} seeding SEC(".maps");

static __always_inline struct seed_pass *the_pass(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&seeding, &zero);
}

static __always_inline struct member *seeded(struct task_struct *task, const struct seed_pass *pass)
{
	struct member *self;

	if (!task || !has_storage(task))
		return NULL;
	self = bpf_task_storage_get(&tasks, task, NULL, 0);
	if (!self || self->slot != pass->slot || self->generation != pass->generation)
		return NULL;
	return self;
}

/* What the loader could not know of the leader when it gave it its storage. */
static __always_inline void complete_leader(struct task_struct *task, struct target *target,
					    struct seed_pass *pass)
{
	struct cgroup *cgroup = cgroup2_of(task), *pids = pids_cgroup_of(task);

	pass->leader = task->tgid;
	pass->mount_ns = mount_ns_of(task);
	pass->cgroup2 = BPF_CORE_READ(cgroup, kn, id);
	pass->cgroup2_parent = BPF_CORE_READ(cgroup, self.parent, cgroup, kn, id);
	if (pids && hierarchy_of(pids) == ENTRANCE_PIDS)
		pass->pids_cgroup = BPF_CORE_READ(pids, kn, id);
	target->mount_ns = pass->mount_ns;
	target->init = pass->leader;
}

/* The entrance that a task is behind already. */
static __always_inline struct entrance *passed(struct task_struct *task)
{
	struct entrance_key key = {.kind = ENTRANCE_MOUNT_NS, .id = mount_ns_of(task)};
	struct entrance *into = entrance_of(task);

	if (into)
		return into;
	into = bpf_map_lookup_elem(&entrances, &key);
	if (into && into->by_filter && task->seccomp.filter_count.counter > 0)
		return into;
	return NULL;
}

/* Whether a task that nobody of the target made belongs to it; then what it is to become. */
static __always_inline bool is_behind(struct task_struct *task, const struct seed_pass *pass,
				      struct member *value)
{
	struct entrance *into = pass->by_cgroup ? passed(task) : NULL;

	if (!into || into->slot != pass->slot || into->generation != pass->generation)
		return false;
	value->row = (pass->slot * PHASES + PHASE_WORKLOAD) * ABIS;
	value->generation = pass->generation;
	value->slot = pass->slot;
	value->phase = PHASE_WORKLOAD;
	return true;
}

/*
 * The member that a process is a child of. Who is ending is passed over here, and has
 * children until it hands them on: they are found by who made it.
 */
static __always_inline struct member *maker_of(struct task_struct *task,
					       const struct seed_pass *pass)
{
	struct task_struct *parent = task->real_parent;
	struct member *from = seeded(parent, pass);

	if (!pass->running)
		return from;
	for (int i = 0; i < 3 && !from && parent; i++) {
		if (!(BPF_CORE_READ(parent, flags) & PF_EXITING))
			break;
		parent = parent->real_parent;
		from = seeded(parent, pass);
	}
	return from;
}

SEC("iter/task")
int adopt(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	struct seed_pass *pass = the_pass();

	if (!pass)
		return 0;

	u32 index = pass->slot;
	struct target *target = bpf_map_lookup_elem(&targets, &index);

	if (!task || !target || (task->flags & PF_EXITING))
		return 0;
	/* Their registers are their maker's, or none: they would seem to be in a call. */
	if ((task->flags & PF_KTHREAD) || !was_told(task))
		return 0;
	/* The observer may be a descendant of the target, or in its cgroup, and is no part of it.
	 */
	if (pass->running && (u32)task->tgid == bpf_get_current_pid_tgid() >> 32)
		return 0;

	struct member *known = seeded(task, pass);

	if (known) {
		/* It or the thread that made it got its storage before this was known. */
		if (pass->container && !(known->flags & MEMBER_PHASED)) {
			known->filters = task->seccomp.filter_count.counter;
			known->flags |= MEMBER_PHASED;
		}
		if (pass->container && task->pid == task->tgid && (known->flags & MEMBER_INIT))
			complete_leader(task, target, pass);
		/* User space gave it its storage. */
		if (pass->running && pass->opening && (known->flags & MEMBER_INIT))
			note_call_in_flight(task, known);
		return 0;
	}

	/* A thread joins with its leader, a leader with its parent. */
	struct member *of_group = seeded(task->group_leader, pass);
	struct member *from = of_group;

	if (!from && task->pid == task->tgid)
		from = maker_of(task, pass);

	struct member value = {};

	if (from)
		value = *from;
	else if (!is_behind(task, pass, &value))
		return 0;

	value.filters = task->seccomp.filter_count.counter;
	value.exec_id = exec_id_of(task);
	value.flags |= MEMBER_INSIDE;
	if (pass->container)
		value.flags |= MEMBER_PHASED;
	if (!of_group) {
		if (pass->container && (value.flags & MEMBER_INIT))
			value.flags |= MEMBER_ASIDE;
		value.flags &= ~MEMBER_INIT;
	}

	/* The value comes with the storage: the task is running meanwhile. */
	struct member *self =
		bpf_task_storage_get(&tasks, task, &value, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!self) {
		/* The next pass tries again. */
		__sync_fetch_and_add(&pass->failed, 1);
		return 0;
	}
	/* Another target's member is left where it is. */
	if (self->slot != pass->slot || self->generation != pass->generation)
		return 0;
	__sync_fetch_and_add(&target->live, 1);
	if (task->pid == task->tgid)
		__sync_fetch_and_add(&target->processes, 1);
	__sync_fetch_and_add(&pass->added, 1);
	if (pass->running)
		note_call_in_flight(task, self);
	return 0;
}

/*
 * The number of members whose exit is not over: a task that is PF_EXITING has its
 * sched_process_exit still to come, up to 6.15 only after its memory is freed.
 */
SEC("iter/task")
int census(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	struct seed_pass *pass = the_pass();

	if (task && pass && !task->exit_state && seeded(task, pass))
		__sync_fetch_and_add(&pass->alive, 1);
	return 0;
}

/* Lets the members go, so that none of them writes into the slot any more. */
SEC("iter/task")
int evict(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;
	struct seed_pass *pass = the_pass();

	if (task && pass && seeded(task, pass) && !bpf_task_storage_delete(&tasks, task))
		__sync_fetch_and_add(&pass->evicted, 1);
	return 0;
}
