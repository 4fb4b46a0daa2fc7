/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The call that a thread is in, and how records of it are sent. */
#pragma once

enum flight_state {
	FLIGHT_NONE = 0,
	FLIGHT_ACTIVE,
	FLIGHT_LOST, /* it is counted as lost: its end is not sent either */
};

/* Lives with the thread. `call` and `data` are laid out as they are sent. */
struct flight {
	u32 state;
	u32 plan;   /* the entry of `chosen` */
	u8 failed;  /* bits: reads that are done again at the end */
	u8 started; /* the program of an execve runs: the caller's memory is gone */
	u8 shown;   /* was sent as pending */
	u8 pad[5];
	struct live_call call;
	u8 data[LIVE_INLINE];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flight);
} flights SEC(".maps");

/* The id of `flights`, as `tasks_id`. */
u32 flights_id = 0;

/* Where records are put together; the programs that do are not preempted. */
struct live_work {
	u64 args[8]; /* [6]: the result */
	u32 plan;
	u32 at;	   /* bytes of `data` that are used */
	u8 failed; /* bits: reads that could not be done */
	u8 final;  /* nothing is read again: what is readable is taken */
	u8 compat;
	u8 full; /* there was no room for an item */
	u32 pad;
	u64 dentry, mnt; /* where the walk to a file's root is */
	u64 root_dentry, root_mnt;
	struct live_call call;
	u8 data[LIVE_DATA + 8 + LIVE_PATH + 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct live_work);
} work SEC(".maps");

/* Sized by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} live SEC(".maps");

/* When the reader was woken last. */
u64 woken_ns = 0;
/* Set by the loader: bytes of the ring that are worth waking it again. */
const volatile u64 wake_bytes = 65536;

/* The reader looks again this long after it was woken, and after it found something. */
#define WAKE_NS	     10000000ULL
#define WAKE_FULL_NS 1000000ULL

/* To wake a reader costs more than all the rest, so it is not done for each record. */
static __always_inline u64 wake(u64 now)
{
	u64 since = now - woken_ns;

	if (since < WAKE_FULL_NS)
		return BPF_RB_NO_WAKEUP;
	if (since < WAKE_NS && bpf_ringbuf_query(&live, BPF_RB_AVAIL_DATA) < wake_bytes)
		return BPF_RB_NO_WAKEUP;
	woken_ns = now;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline struct target *target_at(u32 slot)
{
	return bpf_map_lookup_elem(&targets, &slot);
}

static __always_inline void lost(u32 slot)
{
	struct target *target = target_at(slot);

	if (target)
		__sync_fetch_and_add(&target->events_lost, 1);
}

/* False: there was no room, which has been counted. */
static __always_inline bool send(void *record, u64 size, u64 now, u32 slot)
{
	if (!bpf_ringbuf_output(&live, record, size, wake(now)))
		return true;
	lost(slot);
	return false;
}

static __always_inline struct live_work *the_work(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&work, &zero);
}

static __always_inline void fill_head(struct live_head *head, const struct member *self, u32 kind,
				      u64 now)
{
	u64 id = bpf_get_current_pid_tgid();

	head->kind = kind;
	head->slot = self->slot;
	head->generation = self->generation;
	head->tgid = id >> 32;
	head->tid = (u32)id;
	head->time_ns = now;
}
