/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entry and end of the calls that are shown. */
#pragma once

/* What does not fit into the flight goes ahead of its call. False: it is lost. */
static __always_inline bool send_ahead(struct flight *flight, struct live_work *w, u64 now)
{
	u64 len = w->at;

	if (len > sizeof(w->data))
		len = sizeof(w->data);
	w->call = flight->call;
	w->call.head.kind = LIVE_DATA_OF_CALL;
	w->call.len = len;
	flight->call.parted = 1;
	return send(&w->call, sizeof(w->call) + len, now, w->call.head.slot);
}

/* What was read at entry. False: it is lost. */
static __always_inline bool keep(struct flight *flight, struct live_work *w, u64 now)
{
	u64 len = w->at;

	if (len > LIVE_INLINE)
		return send_ahead(flight, w, now);
	flight->call.len = len;
	bpf_probe_read_kernel(flight->data, len, w->data);
	return true;
}

static __always_inline void prepare(struct live_work *w, const struct flight *flight)
{
	w->plan = flight->plan;
	w->compat = flight->call.abi == ABI_COMPAT;
	w->at = 0;
	for (int i = 0; i < 6; i++)
		w->args[i] = flight->call.args[i];
	w->args[6] = flight->call.value;
}

static __always_inline void fill_call(struct flight *flight, const struct member *self,
				      struct pt_regs *regs, u32 abi, s32 nr, u64 now)
{
	struct live_call *call = &flight->call;

	fill_head(&call->head, self, LIVE_CALL, now);
	call->head.seq++;
	for (u32 i = 0; i < 6; i++)
		call->args[i] = argument(regs, abi, i);
	bpf_get_current_comm(call->comm, sizeof(call->comm));
	call->value = 0;
	call->nr = nr;
	call->abi = abi;
	call->len = 0;
	call->parted = 0;
	call->missing = 0;
	flight->failed = 0;
	flight->started = 0;
	flight->shown = 0;
}

static __noinline int entered(struct task_struct *task, struct pt_regs *regs, u32 abi, s32 nr,
			      u32 plan)
{
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);
	if (self->flags & MEMBER_ASIDE)
		return 0;

	struct flight *flight =
		bpf_task_storage_get(&flights, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 now = bpf_ktime_get_boot_ns();

	if (!flight) {
		lost(self->slot);
		return 0;
	}
	if (self->flags & MEMBER_INSIDE)
		self->flags &= ~MEMBER_INSIDE;
	flight->plan = plan;
	fill_call(flight, self, regs, abi, nr, now);
	flight->state = FLIGHT_ACTIVE;

	struct live_plan *what = plan_at(plan);
	struct live_work *w = the_work();

	if (!what || !what->at_entry || !w)
		return 0;
	prepare(w, flight);
	w->final = 0;
	gather(w, what->at_entry);
	flight->failed = w->failed;
	if (w->at && !keep(flight, w, now))
		flight->state = FLIGHT_LOST;
	return 0;
}

/* The end of a call: what waited with the thread is sent, with what is read now. */
static __always_inline void conclude(struct flight *flight, u8 mask, u64 now)
{
	struct live_call *call = &flight->call;
	u64 len = call->len;
	struct live_work *w = the_work();

	call->left_ns = now;
	call->missing = flight->failed;
	if (len > LIVE_INLINE || !w)
		return;
	if (!mask) {
		send(call, sizeof(*call) + len, now, call->head.slot);
		return;
	}
	prepare(w, flight);
	bpf_probe_read_kernel(w->data, len, flight->data);
	w->at = len;
	w->final = 1;
	gather(w, mask);
	w->call = *call;
	/* What failed has an item that says so, but where there was no room. */
	w->call.missing = w->failed;
	len = w->at;
	if (len > sizeof(w->data))
		len = sizeof(w->data);
	w->call.len = len;
	send(&w->call, sizeof(w->call) + len, now, call->head.slot);
}

/* Whether anybody could answer a call in the kernel's place: a filter, or a tracer. */
static __always_inline bool has_answerer(struct task_struct *task)
{
	return task->seccomp.filter_count.counter > 0 ||
	       BPF_CORE_READ((struct task_struct___live *)task, ptrace);
}

/*
 * A call that ends and was not entered: somebody answered in its place. Not so
 * where a thread is born, where a program of another ABI begins, and where one was inside when it
 * came under observation.
 */
static __always_inline int skipped(struct task_struct *task, struct member *self,
				   struct pt_regs *regs, long value, u32 abi, s32 nr, u32 plan)
{
	if (self->flags & MEMBER_INSIDE) {
		self->flags &= ~MEMBER_INSIDE;
		return 0;
	}
	if (!(plan & LIVE_PLAN) || ((plan & LIVE_ELSEWHERE) && value == 0))
		return 0;
	/* The program that sees entries was skipped, which the kernel counts. */
	if (!has_answerer(task))
		return 0;

	struct flight *flight =
		bpf_task_storage_get(&flights, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	u64 now = bpf_ktime_get_boot_ns();

	if (!flight) {
		lost(self->slot);
		return 0;
	}
	flight->plan = plan;
	fill_call(flight, self, regs, abi, nr, now);
	flight->call.value = value;
	flight->call.outcome = LIVE_SKIPPED;

	struct live_plan *what = plan_at(plan);

	conclude(flight, what ? what->at_entry : 0, now);
	return 0;
}

/* Whether a thread is to die: its call ends, but nobody gets to see how. SIGKILL stands for every
 * signal that kills. */
static __always_inline bool is_dying(struct task_struct *task)
{
	return BPF_CORE_READ((struct task_struct___live *)task, pending.signal.sig[0]) >> (9 - 1) &
	       1;
}

/* `choice`: the ABI in its upper half. */
static __noinline int left(struct task_struct *task, struct pt_regs *regs, long value, s32 nr,
			   u32 choice)
{
	u32 plan = choice & 0xffff, abi = choice >> 16;
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self)
		return not_found(task);
	if (self->flags & MEMBER_ASIDE)
		return 0;

	struct flight *flight = bpf_task_storage_get(&flights, task, NULL, 0);
	u32 state = flight ? flight->state : FLIGHT_NONE;
	bool failure = is_failure(value);

	if (!flight)
		not_found_in(task, flights_id);
	if (state == FLIGHT_ACTIVE && is_dying(task))
		return 0;
	if (flight)
		flight->state = FLIGHT_NONE;
	if (state == FLIGHT_ACTIVE && (self->flags & MEMBER_INSIDE))
		self->flags &= ~MEMBER_INSIDE;
	/* Before the workload only the exec that starts it is shown, and that ends in it. */
	if (self->phase == PHASE_SETUP || state == FLIGHT_LOST)
		return 0;
	if (failure ? !show_failures : !show_successes)
		return 0;
	if (state == FLIGHT_NONE)
		return skipped(task, self, regs, value, abi, nr, plan);
	if (!flight)
		return 0;

	struct live_plan *what = plan_at(flight->plan);
	u8 mask = what && !failure ? what->at_exit : 0;

	flight->call.value = value;
	flight->call.outcome = LIVE_RETURNED;
	if (!flight->started)
		mask |= flight->failed;
	conclude(flight, mask, bpf_ktime_get_boot_ns());
	return 0;
}

static __always_inline int enters(struct task_struct *task, struct pt_regs *regs, long id)
{
	u32 abi = abi_of(task, &id);
	u16 plan = choice(abi, (u32)id);

	return plan & LIVE_PLAN ? entered(task, regs, abi, id, plan) : 0;
}

/* The number is gone from the registers where a signal handler has returned, and -1 is no call that
 * is shown else. */
static __always_inline int leaves(struct task_struct *task, struct pt_regs *regs, long value)
{
	long id = number_of(regs);
	u32 abi = abi_of(task, &id);
	u16 plan = choice(abi, (u32)id);

	if (!plan && id != -1)
		return 0;
	return left(task, regs, value, id, plan | abi << 16);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(show_enter, struct pt_regs *regs, long id)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->bpf_storage ? enters(task, regs, id) : 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(show_leave, struct pt_regs *regs, long value)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->bpf_storage ? leaves(task, regs, value) : 0;
}

/* In their places where they may be preempted: see on_sys_enter_perf. */
SEC("tp/raw_syscalls/sys_enter")
int show_enter_perf(struct trace_event_raw_sys_enter *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) ||
	    !task->bpf_storage)
		return 0;
	return enters(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->id);
}

SEC("tp/raw_syscalls/sys_exit")
int show_leave_perf(struct trace_event_raw_sys_exit *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) ||
	    !task->bpf_storage)
		return 0;
	return leaves(task, (struct pt_regs *)bpf_task_pt_regs(task), ctx->ret);
}
