/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Look-ups of task storage that fail though it is there. */
#pragma once

/* The id of `tasks`, known to the loader only after it has been created. */
u32 tasks_id = 0;
/* Look-ups that failed on tasks that are ours. */
u64 lookup_failures = 0;

/*
 * Exists where a look-up cannot fail on a task that has storage: since 6.2,
 * commit 0593dd34e534 ("bpf: Refactor the core bpf_task_storage_get logic into
 * a new function") and its successors.
 */
extern u64 bpf_task_storage_get_recur(u64 map, u64 task, u64 value, u64 flags,
				      u64 gfp) __ksym __weak;

/* Whether a task has storage in the map of this id, which is looked for in the task's own list. */
static __noinline int has_storage(struct task_struct *task, u32 id)
{
	if (bpf_ksym_exists(bpf_task_storage_get_recur))
		return 0;

	struct hlist_node *node = BPF_CORE_READ(task, bpf_storage, list.first);

	for (int i = 0; i < 64 && node; i++) {
		struct bpf_local_storage_elem *elem =
			(void *)node - bpf_core_field_offset(struct bpf_local_storage_elem, snode);

		if (BPF_CORE_READ(elem, sdata.smap, map.id) == id)
			return 1;
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

/* The look-up found nothing on a task that has storage of somebody: loss, if it is ours. */
static __always_inline int not_found_in(struct task_struct *task, u32 id)
{
	if (has_storage(task, id))
		__sync_fetch_and_add(&lookup_failures, 1);
	return 0;
}

static __always_inline int not_found(struct task_struct *task)
{
	return not_found_in(task, tasks_id);
}
