/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program of the recorder does with a member of a target. */
#pragma once
#include "storage.h"
#include "lookup.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

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
