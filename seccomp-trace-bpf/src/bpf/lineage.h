/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * While a target that runs is being adopted, the walk over its tasks races with
 * what they do: a chain of processes, each of which makes the next and ends, could
 * stay ahead of it. So a new task is adopted at once if any of its ancestors is a
 * member, and a process that ends and leaves children before the walk has found it
 * is counted: nobody can tell any more whose they are.
 */
#pragma once

/* How many targets are being adopted; while there are any, new tasks are looked at more closely. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} adopting SEC(".maps");

static __always_inline bool is_adopting(void)
{
	u32 zero = 0;
	u64 *count = bpf_map_lookup_elem(&adopting, &zero);

	return count && *count;
}

/* Ancestors that are looked at. */
#define LINEAGE_DEPTH 32

/* The nearest of a task's group and ancestors that is a member. */
static __always_inline struct member *member_above(struct task_struct *task)
{
	for (int i = 0; i < LINEAGE_DEPTH && task; i++) {
		struct task_struct *leader = task->group_leader;
		struct member *found = NULL;

		if (task->bpf_storage)
			found = bpf_task_storage_get(&tasks, task, NULL, 0);
		if (!found && leader && leader->bpf_storage)
			found = bpf_task_storage_get(&tasks, leader, NULL, 0);
		if (found)
			return found;
		if (task->pid <= 1)
			break;
		task = task->real_parent;
	}
	return NULL;
}

/* Whether the children of a process that ends go to a member: prctl(PR_SET_CHILD_SUBREAPER), or init. */
static __always_inline bool goes_to_member(struct task_struct *task)
{
	struct task_struct *reaper = reaper_of(task);
	int init = reaper ? BPF_CORE_READ(reaper, tgid) : 1;

	for (int i = 0; i < LINEAGE_DEPTH; i++) {
		task = task->real_parent;
		if (!task)
			return false;

		struct task_struct *leader = task->group_leader;
		struct signal_struct *signal = task->signal;

		if (task->tgid == init ||
		    BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper))
			return leader && is_member(leader);
	}
	return false;
}

/* The exit of a task that is no member. */
static __noinline int leaves_orphans(struct task_struct *task)
{
	u64 first = (u64)BPF_CORE_READ(task, children.next);
	u64 end = (u64)task + bpf_core_field_offset(struct task_struct, children);

	/* Other threads of the process take its children over. */
	if (first == end || task->signal->live.counter > 0)
		return 0;

	struct member *above = member_above(task);
	struct target *target = above ? target_of(above) : NULL;

	if (!target || target->generation != above->generation)
		return 0;
	if (!(target->flags & TARGET_CGROUP) && !goes_to_member(task))
		__sync_fetch_and_add(&target->unseeded, 1);
	return 0;
}
