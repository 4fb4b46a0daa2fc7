/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which things are read of a call. */
#pragma once
#include "items.h"
#include "descriptor.h"

/* Sized by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct live_plan);
} plans SEC(".maps");

/* NULL: the first plan, which has no reads. */
static __always_inline struct live_plan *plan_at(u32 plan)
{
	u32 index = (plan & LIVE_PLAN) - 1;

	return index ? bpf_map_lookup_elem(&plans, &index) : NULL;
}

static __always_inline u64 length_of(struct live_work *w, const struct live_read *read)
{
	u64 arg = w->args[read->length_arg & 7], value = w->args[6];
	u32 pointed = 0;

	switch (read->length) {
	case LIVE_LENGTH_FIXED:
		return read->size;
	case LIVE_LENGTH_ARG:
		return arg;
	case LIVE_LENGTH_ELEMENTS:
		return arg > LIVE_PATH ? LIVE_PATH * 2 : arg * read->size;
	case LIVE_LENGTH_POINTED:
		bpf_probe_read_user(&pointed, sizeof(pointed), (void *)arg);
		return pointed;
	case LIVE_LENGTH_RETURNED:
		return value;
	case LIVE_LENGTH_RETURNED_ELEMENTS:
		return value > LIVE_PATH ? LIVE_PATH * 2 : value * read->size;
	}
	return 0;
}

/* The read of this index in the plan. */
__noinline int read_one(u32 index)
{
	struct live_work *w = the_work();
	struct live_plan *plan = w ? plan_at(w->plan) : NULL;

	if (!plan || index >= LIVE_READS)
		return READ_DONE;

	struct live_read *read = &plan->reads[index];
	u64 from = w->args[read->arg & 7];
	u32 tag = TAG(index, read->arg, 0);

	if (read->what == LIVE_WHAT_DESCRIPTOR)
		return read_descriptor(from, tag);
	if (!from)
		return mark(w, tag | LIVE_ITEM_NULL << 16, LIVE_WHOLE);
	switch (read->what) {
	case LIVE_WHAT_PATH:
		return read_string(from, LIVE_PATH, tag | LIVE_ITEM_STRING << 16);
	case LIVE_WHAT_STRING:
		return read_string(from, string_limit, tag | LIVE_ITEM_STRING << 16);
	case LIVE_WHAT_BUFFER:
		return read_bytes(from, length_of(w, read), string_limit,
				  tag | LIVE_ITEM_BYTES << 16);
	case LIVE_WHAT_STRUCT:
		return read_bytes(from, length_of(w, read), LIVE_STRUCT,
				  tag | LIVE_ITEM_BYTES << 16);
	case LIVE_WHAT_STRINGS:
		return read_strings(from, tag);
	case LIVE_WHAT_IOVEC:
		return read_iovec(from, w->args[read->length_arg & 7],
				  read->returned ? w->args[6] : ~0ULL, tag);
	}
	return READ_DONE;
}

/* Reads what `mask` has a bit for; the bits of what is to be read again are in w->failed. */
static __always_inline void gather(struct live_work *w, u8 mask)
{
	w->failed = 0;
	w->full = 0;
	for (u32 i = 0; i < LIVE_READS; i++) {
		if ((mask >> i & 1) && (read_one(i) || w->full))
			w->failed |= 1 << i;
	}
}
