/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The calls that threads are in at the moment, from a walk over them. */
#pragma once

/* Calls that go on for this long are shown before they end. */
#define PENDING_NS 100000000ULL

struct live_pending {
	struct live_call call;
	u8 data[LIVE_INLINE];
};

/* Whether a task waits in the kernel, and is not stopped: TASK_INTERRUPTIBLE, TASK_UNINTERRUPTIBLE.
 */
static __always_inline bool is_waiting(struct task_struct *task)
{
	u32 state;

	/* 5.14, 2f064a59a11f ("sched: Change task_struct::state") */
	if (bpf_core_field_exists(struct task_struct___live, __state))
		state = BPF_CORE_READ((struct task_struct___live *)task, __state);
	else
		state = BPF_CORE_READ((struct task_struct___old *)task, state);
	return (state & 3) && !(state & 12);
}

/*
 * A call that its thread was in when it came under observation: its entry was not
 * seen, so it is taken to be entered now. Its memory is read when it ends. Only of
 * a thread that waits is it known that it is in the call that its registers say;
 * the end of that clears the mark, and is looked for again once all is written.
 */
static __noinline int join_in_flight(struct task_struct *task, struct member *self)
{
	/* 5.15 */
	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs))
		return 0;

	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	long id = number_of(regs);
	u32 abi = abi_of(task, &id);
	u16 plan = choice(abi, (u32)id);

	if (id < 0 || !(plan & LIVE_PLAN) || !is_waiting(task))
		return 0;

	struct flight *flight =
		bpf_task_storage_get(&flights, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!flight || flight->state != FLIGHT_NONE)
		return 0;

	struct live_plan *what = plan_at(plan);

	flight->plan = plan;
	fill_call(flight, self, regs, abi, id, bpf_ktime_get_boot_ns());
	flight->call.head.tgid = task->tgid;
	flight->call.head.tid = task->pid;
	bpf_probe_read_kernel_str(flight->call.comm, COMM_LEN,
				  ((struct task_struct___live *)task)->comm);
	flight->failed = what ? what->at_entry : 0;
	flight->state = FLIGHT_ACTIVE;
	barrier();
	if (!(self->flags & MEMBER_INSIDE))
		flight->state = FLIGHT_NONE;
	return 0;
}

/*
 * Read by user space when nothing has happened for a while. The task may be
 * running meanwhile: the room in the ring is taken before the call is looked at
 * again, so that its end comes after this.
 */
SEC("iter/task")
int show_pending(struct bpf_iter__task *it)
{
	struct task_struct *task = it->task;

	if (!task || !task->bpf_storage)
		return 0;

	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);

	if (!self || self->phase == PHASE_SETUP || (self->flags & MEMBER_ASIDE))
		return 0;
	if (self->flags & MEMBER_INSIDE)
		join_in_flight(task, self);

	struct flight *flight = bpf_task_storage_get(&flights, task, NULL, 0);

	if (!flight || flight->state != FLIGHT_ACTIVE || flight->shown || !shows_all())
		return 0;

	u32 seq = flight->call.head.seq;

	if (bpf_ktime_get_boot_ns() - flight->call.head.time_ns < PENDING_NS)
		return 0;

	struct live_pending *record = bpf_ringbuf_reserve(&live, sizeof(*record), 0);

	/* No loss: the next walk tries again. */
	if (!record)
		return 0;
	bpf_probe_read_kernel(record, sizeof(*record), &flight->call);
	record->call.outcome = LIVE_PENDING;
	record->call.missing = flight->failed;
	barrier();
	if (flight->state != FLIGHT_ACTIVE || flight->call.head.seq != seq) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		return 0;
	}
	flight->shown = 1;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}
