/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * While a target that runs is being adopted, the walk over its tasks races with
 * what they do: a chain of processes, each of which makes the next and ends, could
 * stay ahead of it. So a new task is adopted at once if any of its ancestors is a
 * member, and a process that ends and leaves children before the walk has found it
 * is counted: nobody can tell any more whose they are.
 *
 * These programs are attached while somebody adopts, and behind those that keep
 * membership.
 */
#pragma once
#include "seed.h"
#include "storage.h"
#include "place.h"

/* Ancestors that are looked at. Each costs the verifier milliseconds (see has_storage). */
#define LINEAGE_DEPTH 8

/* The nearest of a task's group and ancestors that is a member. */
static __always_inline struct member *member_above(struct task_struct *task)
{
	for (int i = 0; i < LINEAGE_DEPTH && task; i++) {
		struct task_struct *leader = task->group_leader;
		struct member *found = NULL;

		if (has_storage(task))
			found = bpf_task_storage_get(&tasks, task, NULL, 0);
		if (!found && leader && has_storage(leader))
			found = bpf_task_storage_get(&tasks, leader, NULL, 0);
		if (found)
			return found;
		if (task->pid <= 1)
			break;
		task = task->real_parent;
	}
	return NULL;
}

/* Whether the children of a process that ends go to a member: prctl(PR_SET_CHILD_SUBREAPER), or
 * init. */
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

		if (task->tgid == init || BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper))
			return leader && is_member(leader);
	}
	return false;
}

/* The exit of a task that is no member. */
static __always_inline int leaves_orphans(struct task_struct *task)
{
	u64 first = (u64)BPF_CORE_READ(task, children.next);
	u64 end = (u64)task + bpf_core_field_offset(struct task_struct, children);

	/* Other threads of the process take its children over. */
	if (first == end || task->signal->live.counter > 0)
		return 0;

	struct seed_pass *pass = the_pass();

	/* It is told twice where there is a spare, unless another one comes between. */
	if (!pass || pass->dying == (u64)task->pid)
		return 0;
	pass->dying = task->pid;

	struct member *above = member_above(task);
	struct target *target = above ? target_of(above) : NULL;

	if (!target || target->generation != above->generation)
		return 0;
	if (target->flags & TARGET_CGROUP)
		return 0;
	if (!goes_to_member(task)) {
		__sync_fetch_and_add(&target->unseeded, 1);
		return 0;
	}

	/* The walk may have met its children when their parent was no member. */
	__sync_fetch_and_add(&pass->moving, 1);
	return 0;
}

static __always_inline int born_below(struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();

	if (is_member(child))
		return 0;

	struct member *from = member_above(parent);
	struct target *target = from ? target_of(from) : NULL;

	if (target && target->generation == from->generation)
		join(child, from, target, clone_flags);
	return 0;
}

SEC("tp_btf/task_newtask")
int BPF_PROG(on_birth, struct task_struct *child, u64 clone_flags)
{
	return born_below(child, clone_flags);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_death, struct task_struct *task)
{
	return is_member(task) ? 0 : leaves_orphans(task);
}

/* The same where programs are preempted, and skipped meanwhile: see spares.h. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_birth_spare, struct task_struct *child)
{
	return was_told(child) ? born_below(child, thread_flag_of(child)) : 0;
}

SEC("tp/sched/sched_process_exit")
int on_death_spare(void *unused)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return is_member(task) ? 0 : leaves_orphans(task);
}
