/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a task is: its mount namespace and the cgroups that tell containers apart. */
#pragma once

static __always_inline u64 mount_ns_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
}

/* The first process of the task's pid namespace; NULL in the initial one. */
static __always_inline struct task_struct *reaper_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	u32 level = BPF_CORE_READ(pid, level);
	struct pid_namespace *ns = NULL;

	if (!level)
		return NULL;
	bpf_probe_read_kernel(&ns, sizeof(ns),
			      (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, ns));
	return BPF_CORE_READ(ns, child_reaper);
}

static __always_inline struct cgroup *cgroup2_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

static __always_inline bool has_pids(void)
{
	return bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id);
}

static __always_inline u64 pids_index(void)
{
	return bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id);
}

/* The task's cgroup in the hierarchy that has the pids controller; v1's, where that is one. */
static __always_inline struct cgroup *pids_cgroup_of(struct task_struct *task)
{
	struct cgroup_subsys_state *css = NULL;
	struct css_set *set = BPF_CORE_READ(task, cgroups);

	if (!has_pids() || !set)
		return NULL;
	bpf_probe_read_kernel(&css, sizeof(css),
			      (void *)set + bpf_core_field_offset(struct css_set, subsys) +
				      pids_index() * sizeof(css));
	return css ? BPF_CORE_READ(css, cgroup) : NULL;
}

/* The kind of entrance that a cgroup's hierarchy can be; 0: none. */
static __always_inline u32 hierarchy_of(struct cgroup *cgroup)
{
	struct cgroup_root *root = BPF_CORE_READ(cgroup, root);

	if (BPF_CORE_READ(root, hierarchy_id) == 0)
		return ENTRANCE_CGROUP2;
	if (has_pids() && (BPF_CORE_READ(root, subsys_mask) >> pids_index()) & 1)
		return ENTRANCE_PIDS;
	return 0;
}
