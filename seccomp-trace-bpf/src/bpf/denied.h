/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keeps what is known of denied and watched calls, in maps that the loader sizes. */
#pragma once

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct denied_key);
	__type(value, struct denied);
} denials SEC(".maps");

/* How often the calls of a denial had which arguments. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct denied_args_key);
	__type(value, u64);
} denied_args SEC(".maps");

/* By slot. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct denied_losses);
} denied_losses SEC(".maps");

static __always_inline struct denied_losses *losses_of(u32 slot)
{
	return bpf_map_lookup_elem(&denied_losses, &slot);
}

/* The entry of a denial, made by whoever is first. NULL: there is no room. */
static __always_inline struct denied *denied_of(const struct denied_key *key)
{
	struct denied *known = bpf_map_lookup_elem(&denials, key);

	if (known)
		return known;

	struct denied value = {.first.time_ns = bpf_ktime_get_boot_ns()};
	u64 id = bpf_get_current_pid_tgid();

	value.first.tgid = id >> 32;
	value.first.tid = (u32)id;
	bpf_get_current_comm(value.first.comm, sizeof(value.first.comm));
	bpf_map_update_elem(&denials, key, &value, BPF_NOEXIST);
	return bpf_map_lookup_elem(&denials, key);
}

/* Counts one call with its arguments; those that `keep` does not name count as 0. */
static __noinline int note(struct pt_regs *regs, struct denied_key *call, u8 keep)
{
	struct denied *denied = denied_of(call);

	if (!denied) {
		struct denied_losses *losses = losses_of(call->slot);

		if (losses)
			__sync_fetch_and_add(&losses->overflow, 1);
		return 0;
	}
	__sync_fetch_and_add(&denied->count, 1);

	struct denied_args_key key = {.call = *call};
	u64 one = 1, *count, most = keep & WATCH_TESTED ? DENIED_TESTED_ARGS : DENIED_ARGS;

	for (u32 i = 0; i < 6; i++)
		if (keep & (1 << i))
			key.args[i] = argument(regs, call->abi, i);
	count = bpf_map_lookup_elem(&denied_args, &key);
	if (!count && denied->distinct < most) {
		u64 none = 0;

		/* Who makes the entry counts it; others find it. */
		if (!bpf_map_update_elem(&denied_args, &key, &none, BPF_NOEXIST))
			__sync_fetch_and_add(&denied->distinct, 1);
		count = bpf_map_lookup_elem(&denied_args, &key);
	}
	__sync_fetch_and_add(count ? count : &denied->others, one);
	return 0;
}
