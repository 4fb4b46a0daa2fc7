// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts the calls that members complete: how often, how many failed, how long
 * they took. Loaded only for a summary; membership is the recorder's.
 *
 * A call is counted at its end, as strace counts it: a call that never ends
 * (exit, one that is killed) is not in the summary. Sums are kept for each CPU
 * where the call ends, so that nothing is shared and nothing is lost.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "record.h"
#include "maps.h"
#include "abi.h"
#include "tally_record.h"

/* Set by the loader. */
const volatile u32 tally_by = TALLY_ALL;
/* Whether time is that on a CPU; else all that passes. */
const volatile bool cpu_time = true;
/* When the programs were loaded: CLOCK_BOOTTIME. */
const volatile u64 loaded_ns = 0;

/* The call that a thread is in. */
struct call {
	u64 since_ns;
	u64 off_ns;	  /* it was off its CPU for so long */
	u64 off_since_ns; /* 0: it is on one */
	u32 row;
	s32 nr;
	u64 active;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

const struct tally_counters *unused_counters __attribute__((unused));
const enum tally_by *unused_tally_by __attribute__((unused));
const enum abi *unused_abi __attribute__((unused));

#include "tally_cells.h"
#include "tally_task.h"

static __always_inline struct member *member_of(struct task_struct *task)
{
	return task->bpf_storage ? bpf_task_storage_get(&tasks, task, NULL, 0) : NULL;
}

static __always_inline void begin(struct call *call, const struct member *self,
				  struct task_struct *task, long id)
{
	u32 abi = abi_of(task, &id);

	call->row = self->slot * ABIS + abi;
	call->nr = (s32)id;
	call->off_ns = 0;
	call->off_since_ns = 0;
	call->active = 1;
}

static __always_inline int enter(struct task_struct *task, long id)
{
	struct member *self = member_of(task);

	if (!self)
		return 0;

	struct call *call =
		bpf_task_storage_get(&calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!call)
		return 0;
	begin(call, self, task, id);
	call->since_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/* A call whose begin was not seen. False: it is none, but the child's side of its own birth. */
static __always_inline bool recover(struct call *call, const struct member *self,
				    struct task_struct *task, struct pt_regs *regs, bool first)
{
	long id = number_of(regs);

#if defined(__TARGET_ARCH_x86)
	if (first && BPF_CORE_READ((struct task_struct___tally *)task, start_boottime) > loaded_ns)
		return false;
#endif
	/* A call that a filter has denied has no begin; any other was in flight when all began. */
	begin(call, self, task, id);
	call->since_ns = first && !cpu_time ? loaded_ns : bpf_ktime_get_boot_ns();
	return id >= 0;
}

static __always_inline int leave(struct task_struct *task, struct pt_regs *regs, long result)
{
	struct member *self = member_of(task);

	if (!self)
		return 0;

	struct call *call = bpf_task_storage_get(&calls, task, NULL, 0);
	bool first = !call;

	if (first)
		call = bpf_task_storage_get(&calls, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call)
		return 0;
	if (!call->active && !recover(call, self, task, regs, first))
		return 0;
	call->active = 0;
	/* What a launcher or a runtime does before the workload is not the workload's. */
	if (tally_by != TALLY_PHASE && self->phase != PHASE_WORKLOAD)
		return 0;
	if (is_killed(task))
		return 0;

	struct tally_cell *cell = cell_of(call, self);

	if (!cell)
		return 0;
	cell->calls++;
	/* MAX_ERRNO */
	if (result < 0 && result >= -4095)
		cell->errors++;
	cell->ns += bpf_ktime_get_boot_ns() - call->since_ns - call->off_ns;
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(tally_enter, struct pt_regs *regs, long id)
{
	return enter(bpf_get_current_task_btf(), id);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(tally_exit, struct pt_regs *regs, long result)
{
	return leave(bpf_get_current_task_btf(), regs, result);
}

/* In the place of the two above where those may be preempted: see on_sys_enter_perf. */
SEC("tp/raw_syscalls/sys_enter")
int tally_enter_perf(struct trace_event_raw_sys_enter *ctx)
{
	return enter(bpf_get_current_task_btf(), ctx->id);
}

SEC("tp/raw_syscalls/sys_exit")
int tally_exit_perf(struct trace_event_raw_sys_exit___tally *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	/* 5.15; where it is missing, tally_exit is not preempted. */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;
	return leave(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->ret);
}

static __always_inline struct call *call_of(struct task_struct *task)
{
	struct call *call;

	if (!task->bpf_storage)
		return NULL;
	call = bpf_task_storage_get(&calls, task, NULL, 0);
	return call && call->active ? call : NULL;
}

/* Only for CPU time: takes out what a call waits for. */
SEC("tp_btf/sched_switch")
int BPF_PROG(tally_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct call *off = call_of(prev), *on = call_of(next);

	if (off)
		off->off_since_ns = bpf_ktime_get_boot_ns();
	if (on && on->off_since_ns) {
		on->off_ns += bpf_ktime_get_boot_ns() - on->off_since_ns;
		on->off_since_ns = 0;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
