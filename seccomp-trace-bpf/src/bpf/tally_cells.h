/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where calls are counted. */
#pragma once

/* All calls or, where groups are told apart, those whose group found no room. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tally_row);
} totals SEC(".maps");

/* Groups, and numbers outside the table. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct tally_key);
	__type(value, struct tally_cell);
} cells SEC(".maps");

/* The name that a process or a thread had when it was met first. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, char[COMM_LEN]);
} names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tally_counters);
} counters SEC(".maps");

static __always_inline struct tally_counters *the_counters(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

static __always_inline u64 group_of(const struct member *self)
{
	u64 id = bpf_get_current_pid_tgid();

	switch (tally_by) {
	case TALLY_PROCESS:
		return id >> 32;
	case TALLY_THREAD:
		return (u32)id;
	case TALLY_PHASE:
		return self->phase;
	default:
		return 0;
	}
}

static __noinline struct tally_cell *new_cell(struct tally_key *key)
{
	struct tally_cell zero = {};
	char comm[COMM_LEN];

	bpf_map_update_elem(&cells, key, &zero, BPF_NOEXIST);
	if (tally_by == TALLY_PROCESS || tally_by == TALLY_THREAD) {
		bpf_get_current_comm(comm, sizeof(comm));
		bpf_map_update_elem(&names, &key->group, comm, BPF_NOEXIST);
	}
	return bpf_map_lookup_elem(&cells, key);
}

/* Where a call is counted: by its group, else by its number alone. */
static __always_inline struct tally_cell *cell_of(const struct call *call,
						  const struct member *self)
{
	struct tally_key key = {.row = call->row, .nr = call->nr, .group = group_of(self)};
	struct tally_counters *counted = the_counters();
	u64 nr = (u32)call->nr;

	if (tally_by != TALLY_ALL || nr >= NR_MAX) {
		struct tally_cell *cell = bpf_map_lookup_elem(&cells, &key);

		if (!cell)
			cell = new_cell(&key);
		if (cell)
			return cell;
		if (counted)
			__sync_fetch_and_add(nr < NR_MAX ? &counted->blurred : &counted->uncounted,
					     1);
	}

	struct tally_row *row = bpf_map_lookup_elem(&totals, &key.row);

	return row && nr < NR_MAX ? &row->nr[nr] : NULL;
}
