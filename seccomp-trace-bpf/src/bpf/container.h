/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes that enter a container from outside (`podman exec`, health checks), or a
 * cgroup that is a target by itself.
 * The runtime moves them into the container's cgroup before it confines them, so
 * they are followed from there on, and kept if they execute a program in the
 * container's mount namespace. None of this is on the path of a syscall.
 */
#pragma once
#include "place.h"
#include "entrances.h"

/* Set by the loader of an instance that takes containers; pruned elsewhere. */
const volatile bool containers = false;
/* Set where a target may be a cgroup: every new task on the machine is looked at. */
const volatile bool whole_cgroups = false;

/* Makes a task, which has no storage yet, a member of the container behind an entrance. */
static __always_inline int enter(struct task_struct *task, const struct entrance *into, u8 phase,
				 u8 flags)
{
	u32 slot = into->slot;
	struct target *target = bpf_map_lookup_elem(&targets, &slot);
	struct member self = {
		.row = (slot * PHASES + phase) * ABIS,
		.generation = into->generation,
		.filters = task->seccomp.filter_count.counter,
		.slot = slot,
		.phase = phase,
		.flags = flags,
		.exec_id = exec_id_of(task),
	};

	if (!target || target->generation != into->generation)
		return 0;
	/* The value comes with the storage: the task may be running on another CPU. */
	if (!bpf_task_storage_get(&tasks, task, &self, BPF_LOCAL_STORAGE_GET_F_CREATE)) {
		__sync_fetch_and_add(&target->storage_failures, 1);
		return 0;
	}
	__sync_fetch_and_add(&target->live, 1);
	if (task->pid == task->tgid)
		__sync_fetch_and_add(&target->processes, 1);
	return 0;
}

/*
 * Whether a task is in the container's mount namespace: the one that it had at
 * first, or the one that its init is in now (an init may make itself another,
 * and runtimes take who enters to that one).
 */
static __always_inline bool is_inside(struct task_struct *task, const struct target *target)
{
	u64 ns = mount_ns_of(task);

	if (ns == target->mount_ns)
		return true;

	struct task_struct *reaper = reaper_of(task);

	return reaper && (u64)BPF_CORE_READ(reaper, tgid) == target->init &&
	       mount_ns_of(reaper) == ns;
}

/*
 * A process with several threads has been moved: only its leader can be reached
 * from here. User space is woken to walk over the others.
 */
static __always_inline void ask_for_threads(struct task_struct *task, const struct entrance *into)
{
	u32 slot = into->slot, others = task->signal->nr_threads - 1;
	struct target *target = bpf_map_lookup_elem(&targets, &slot);
	struct event event = {.kind = EVENT_MOVED, .slot = slot, .generation = into->generation};

	if (!target || !others)
		return;
	__sync_fetch_and_add(&target->unseeded, others);
	__sync_fetch_and_add(&target->moved, 1);
	bpf_ringbuf_output(&events, &event, sizeof(event), BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_cgroup_attach, struct cgroup *cgroup, const char *path, struct task_struct *task,
	     bool threadgroup)
{
	u32 kind = hierarchy_of(cgroup);

	if (!kind || is_member(task))
		return 0;

	struct entrance *into = entrance_by_cgroup(cgroup, kind);

	if (!into)
		return 0;
	if (!into->whole)
		return enter(task, into, PHASE_SETUP, MEMBER_PHASED | MEMBER_ENTERING);
	if (threadgroup)
		ask_for_threads(task, into);
	return enter(task, into, PHASE_WORKLOAD, MEMBER_INSIDE);
}

/*
 * A child of a task that is nobody's. clone3 may have put it into a container's
 * cgroup, which is no move; and what is born in a cgroup that is a target is its own,
 * though its parent has not been adopted yet.
 */
static __noinline int born_of_stranger(struct task_struct *child, u64 clone_flags)
{
	struct entrance *into = NULL;

	if (whole_cgroups)
		into = entrance_of(child);
	else if (clone_flags & CLONE_INTO_CGROUP)
		into = entrance_by_cgroup(cgroup2_of(child), ENTRANCE_CGROUP2);
	if (!into)
		return 0;
	if (into->whole)
		return enter(child, into, PHASE_WORKLOAD, 0);
	if (clone_flags & CLONE_INTO_CGROUP)
		return enter(child, into, PHASE_SETUP, MEMBER_PHASED | MEMBER_ENTERING);
	return 0;
}

/*
 * An exec of a task that is nobody's. The thread that executes need not be the
 * one that was moved, and a container may have no cgroup: what is in the
 * container's mount namespace, and in its cgroup or confined, belongs to it.
 */
static __noinline int exec_of_stranger(struct task_struct *task)
{
	struct entrance_key key = {.kind = ENTRANCE_MOUNT_NS, .id = mount_ns_of(task)};
	struct entrance *into = bpf_map_lookup_elem(&entrances, &key);

	if (into && into->by_filter)
		return task->seccomp.filter_count.counter > 0 ? enter(task, into, PHASE_WORKLOAD, 0)
							      : 0;
	/* Nearly every exec on the machine ends here. */
	if (!into && !reaper_of(task))
		return 0;
	into = entrance_of(task);
	if (!into)
		return 0;

	u32 slot = into->slot;
	struct target *target = bpf_map_lookup_elem(&targets, &slot);

	if (!target || (!into->whole && !is_inside(task, target)))
		return 0;
	return enter(task, into, PHASE_WORKLOAD, MEMBER_INSIDE);
}
