/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program of the recorder does with a member of a target. */
#pragma once
#include "storage.h"

/* The id of `tasks`, known to the loader only after it has been created. */
u32 tasks_id = 0;
/* Look-ups that failed on tasks that are ours. */
u64 lookup_failures = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

/*
 * Exists where a look-up cannot fail on a task that has storage: since 6.2,
 * commit 0593dd34e534 ("bpf: Refactor the core bpf_task_storage_get logic into
 * a new function") and its successors.
 */
extern u64 bpf_task_storage_get_recur(u64 map, u64 task, u64 value, u64 flags,
				      u64 gfp) __ksym __weak;

/*
 * The look-up found nothing on a task that has storage of somebody. It is loss
 * only if the storage is ours: look for our map in the task's list.
 */
static __noinline int not_found(struct task_struct *task)
{
	if (bpf_ksym_exists(bpf_task_storage_get_recur))
		return 0;

	struct hlist_node *node = BPF_CORE_READ(task, bpf_storage, list.first);

	for (int i = 0; i < 64 && node; i++) {
		struct bpf_local_storage_elem *elem =
			(void *)node - bpf_core_field_offset(struct bpf_local_storage_elem, snode);

		if (BPF_CORE_READ(elem, sdata.smap, map.id) == tasks_id) {
			__sync_fetch_and_add(&lookup_failures, 1);
			return 0;
		}
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

static __always_inline void enter_phase(struct member *self, u8 phase)
{
	self->row = ((u32)self->slot * PHASES + phase) * ABIS;
	self->phase = phase;
}

static __always_inline void fill_who(struct first_seen *who)
{
	u64 id = bpf_get_current_pid_tgid();

	who->tgid = id >> 32;
	who->tid = (u32)id;
	bpf_get_current_comm(who->comm, sizeof(who->comm));
}

static __always_inline void emit(struct target *target, const struct member *self,
				 struct event *event, u64 flags)
{
	event->slot = self->slot;
	event->generation = self->generation;
	event->phase = self->phase;
	fill_who(&event->who);
	if (bpf_ringbuf_output(&events, event, sizeof(*event), flags))
		__sync_fetch_and_add(&target->events_lost, 1);
}
