/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Keeps the distinct values of one scalar argument of chosen calls. Which calls
 * is the target's own configuration; all others do not come here.
 */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct capture_row);
} captures SEC(".maps");

/* How often each value was passed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct capture_key);
	__type(value, u64);
} values SEC(".maps");

static __noinline int capture(struct pt_regs *regs, struct member *self, struct seen_row *row,
			      u32 index, u64 nr)
{
	u32 abi = index % ABIS, at = self->slot * ABIS + abi;
	struct capture_row *config = bpf_map_lookup_elem(&captures, &at);

	if (!config || nr >= NR_MAX || !config->arg[nr])
		return 0;
	if (config->widened[nr]) {
		/* Nothing more to learn: back to the path that costs nothing. */
		row->nr[nr] = SEEN;
		return 0;
	}

	struct capture_key key = {.row = index, .nr = nr};
	u64 one = 1, *count;

	key.value = argument(regs, abi, config->arg[nr] - 1);
	count = bpf_map_lookup_elem(&values, &key);
	if (count) {
		__sync_fetch_and_add(count, 1);
		return 0;
	}
	if (config->distinct[nr] >= CAPTURE_VALUES) {
		config->widened[nr] = 1;
		return 0;
	}
	config->distinct[nr]++;
	if (bpf_map_update_elem(&values, &key, &one, BPF_NOEXIST)) {
		/* Another thread may have been faster; else there is no room. */
		count = bpf_map_lookup_elem(&values, &key);
		if (count)
			__sync_fetch_and_add(count, 1);
		else
			config->widened[nr] = 1;
	}
	return 0;
}
