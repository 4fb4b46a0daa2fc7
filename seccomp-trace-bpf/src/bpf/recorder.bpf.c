// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Records which syscalls the traced tasks make.
 *
 * on_sys_enter runs at every syscall of every task on the machine, so the test
 * that lets the others go comes first and costs one load. It is attached to the
 * BTF tracepoint, which is the cheapest of the stable attach points. The other
 * programs run when a task is created, executes, exits, is signalled or changes
 * its cgroup, and keep membership and the count of live tasks.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "maps.h"
#include "rows.h"
#include "abi.h"
#include "member.h"
#include "registers.h"

/* Set by the loader; what is off is pruned by the verifier. */
const volatile bool count_calls = false;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct count_row);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct odd_key);
	__type(value, struct odd_value);
} odd SEC(".maps");

/* A type reaches BTF, and so the loader's checks, only through a variable. */
const struct event *unused_event __attribute__((unused));
const enum seen_flags *unused_seen_flags __attribute__((unused));
const enum phase *unused_phase __attribute__((unused));
const enum abi *unused_abi __attribute__((unused));
const enum member_flags *unused_member_flags __attribute__((unused));
const enum target_flags *unused_target_flags __attribute__((unused));
const enum event_kind *unused_event_kind __attribute__((unused));
const enum entrance_kind *unused_entrance_kind __attribute__((unused));

#include "capture.h"

/* Off the hot path: at most once per row and number. */
static __noinline int first_call(struct member *self, struct seen_row *row, u32 index, u64 nr)
{
	struct first_row *firsts = bpf_map_lookup_elem(&first, &index);
	struct target *target = target_of(self);
	u64 now = bpf_ktime_get_boot_ns();

	if (nr >= NR_MAX || !firsts || !target)
		return 0;
	/* Two threads may get here at once: one of them is the first. */
	bool won = __sync_val_compare_and_swap(&firsts->nr[nr].time_ns, 0, now) == 0;

	if (won)
		fill_who(&firsts->nr[nr]);
	row->nr[nr] |= SEEN;
	if (won && (target->flags & TARGET_EVENTS)) {
		struct event event = {
			.kind = EVENT_NEW_SYSCALL,
			.abi = index % ABIS,
			.nr = nr,
			.who.time_ns = now,
		};
		emit(target, self, &event, 0);
	}
	return 0;
}

/* A number outside the tables: kept as it is, so that nothing goes missing. */
static __noinline int odd_call(struct member *self, u32 index, s32 nr)
{
	struct odd_key key = {.row = index, .nr = nr};
	struct odd_value *known = bpf_map_lookup_elem(&odd, &key);

	if (known) {
		if (count_calls)
			__sync_fetch_and_add(&known->count, 1);
		return 0;
	}

	struct odd_value value = {.count = 1, .first.time_ns = bpf_ktime_get_boot_ns()};

	struct target *target = target_of(self);

	fill_who(&value.first);
	if (bpf_map_update_elem(&odd, &key, &value, BPF_NOEXIST)) {
		/* Another thread may have been faster. */
		if (target && !bpf_map_lookup_elem(&odd, &key))
			__sync_fetch_and_add(&target->number_overflow, 1);
		return 0;
	}
	if (target && (target->flags & TARGET_EVENTS)) {
		struct event event = {
			.kind = EVENT_NEW_SYSCALL,
			.abi = index % ABIS,
			.nr = nr,
			.who.time_ns = value.first.time_ns,
		};
		emit(target, self, &event, 0);
	}
	return 0;
}

/* A call of a task that has storage of somebody. */
static __always_inline int record_call(struct task_struct *task, struct pt_regs *regs, long id)
{
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);
	if (self->phase == PHASE_SETUP) {
		if (self->flags & MEMBER_ASIDE)
			return 0;
		if ((self->flags & MEMBER_PHASED) &&
		    task->seccomp.filter_count.counter != self->filters)
			enter_phase(self, PHASE_RUNTIME_INIT);
	}

	u32 index = self->row + abi_of(task, &id);
	u64 nr = (u32)id;

	if (nr >= NR_MAX)
		return odd_call(self, index, (s32)id);
	if (count_calls) {
		struct count_row *row = bpf_map_lookup_elem(&counts, &index);

		if (row)
			row->nr[nr]++;
	}

	struct seen_row *row = bpf_map_lookup_elem(&seen, &index);

	if (!row || row->nr[nr] == SEEN)
		return 0;
	if (row->nr[nr] & SEEN_CAPTURES)
		capture(regs, self, row, index, nr);
	if (row->nr[nr] & SEEN)
		return 0;
	return first_call(self, row, index, nr);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->bpf_storage ? record_call(task, regs, id) : 0;
}

/*
 * Attached in the place of on_sys_enter where that one may be preempted: since
 * 7.2, "bpf: Add sleepable support for raw tracepoint programs". Until the
 * preempted task goes on, the kernel skips the program for every other task on
 * that CPU. The perf tracepoint costs more.
 */
SEC("tp/raw_syscalls/sys_enter")
int on_sys_enter_perf(struct trace_event_raw_sys_enter *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	/* 5.15; where it is missing, on_sys_enter is not preempted. */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	if (!task->bpf_storage)
		return 0;
	return record_call(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->id);
}

#include "lifecycle.h"
#include "spares.h"
#include "seed.h"
#include "signals.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
