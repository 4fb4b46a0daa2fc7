/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ways into a target for tasks that were made outside. */
#pragma once
#include "place.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct entrance_key);
	__type(value, struct entrance);
} entrances SEC(".maps");

/* Cgroups above a task's own that are looked at: workloads make some below the container's. */
#define CGROUP_DEPTH 32

static __always_inline struct entrance *entrance_by_cgroup(struct cgroup *cgroup, u32 kind)
{
	struct entrance_key key = {.kind = kind};

	for (int i = 0; i < CGROUP_DEPTH && cgroup; i++) {
		key.id = BPF_CORE_READ(cgroup, kn, id);

		struct entrance *found = bpf_map_lookup_elem(&entrances, &key);

		if (found)
			return found;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	return NULL;
}

/* The entrance that a task is behind by the cgroups it is in. */
static __always_inline struct entrance *entrance_of(struct task_struct *task)
{
	struct entrance *into = entrance_by_cgroup(cgroup2_of(task), ENTRANCE_CGROUP2);

	return into ? into : entrance_by_cgroup(pids_cgroup_of(task), ENTRANCE_PIDS);
}
