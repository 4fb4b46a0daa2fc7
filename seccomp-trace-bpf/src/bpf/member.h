/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program of the recorder does with a member of a target. */
#pragma once

#include "lookup.h"
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

static __always_inline struct target *target_of(const struct member *self)
{
	u32 slot = self->slot;

	return bpf_map_lookup_elem(&targets, &slot);
}

static __always_inline void enter_phase(struct member *self, u8 phase)
{
	self->row = ((u32)self->slot * PHASES + phase) * ABIS;
	self->phase = phase;
}

/*
 * A child of init is not init. What a runtime runs in setup in the place of
 * init, and has no filter, are hooks of others (createContainer).
 */
static __always_inline u8 flags_of_child(const struct member *parent)
{
	u8 flags = parent->flags & ~MEMBER_INIT;

	if ((parent->flags & MEMBER_INIT) && (parent->flags & MEMBER_PHASED) &&
	    parent->phase == PHASE_SETUP)
		flags |= MEMBER_ASIDE;
	return flags;
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
