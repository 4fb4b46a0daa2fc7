/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Execs, ends of threads, signals, and the calls that go on: nothing here is on the path of a
 * syscall. */
#pragma once

/* How many variables the program was given: the kernel has counted what we may not have read. */
static __always_inline void count_variables(struct live_work *w, u32 envc, u32 tag)
{
	u8 *to = room(w);

	if (!to)
		return;
	*(u64 *)(to + sizeof(struct live_item)) = envc;
	finish_item(w, to, tag | LIVE_ITEM_COUNT << 16, LIVE_WHOLE, sizeof(u64));
}

/*
 * Reads of the exec's arguments that failed are made good from what the kernel
 * has taken over; and of the variables' number, those that were cut short.
 */
static __always_inline void read_program(struct flight *flight, struct live_work *w,
					 struct linux_binprm___live *bprm, struct live_plan *what)
{
	struct task_struct___live *task = (void *)bpf_get_current_task_btf();
	const char *name = BPF_CORE_READ(bprm, filename);
	/* A script's interpreter has other arguments than it was given. */
	bool same = name == BPF_CORE_READ(bprm, interp);
	u32 variables = BPF_CORE_READ(bprm, envc);
	u64 path = LIVE_READS;

	prepare(w, flight);

	u32 most = LIVE_STRUCT / (w->compat ? 4 : 8);

	w->at = 0;
	w->final = 1;
	for (u32 i = 0; i < LIVE_READS; i++) {
		u32 tag = TAG(i, what->reads[i].arg, 0);

		if (what->reads[i].what == LIVE_WHAT_PATH)
			path = what->reads[i].arg;
		if (what->reads[i].what == LIVE_WHAT_STRUCT && what->reads[i].arg == path + 2 &&
		    ((flight->failed >> i & 1) || variables >= most)) {
			count_variables(w, variables, tag);
			flight->failed &= ~(1 << i);
		}
		if (!(flight->failed >> i & 1))
			continue;
		if (what->reads[i].what == LIVE_WHAT_PATH) {
			u8 *to = room(w);

			if (!to)
				continue;
			long got = bpf_probe_read_kernel_str(to + sizeof(struct live_item),
							     LIVE_PATH, name);
			if (got <= 0)
				continue;
			finish_item(w, to, tag | LIVE_ITEM_STRING << 16, LIVE_WHOLE, got - 1);
		} else if (what->reads[i].what == LIVE_WHAT_STRINGS && same) {
			bool env = what->reads[i].arg == path + 2;
			u64 from = env ? BPF_CORE_READ(task, mm, env_start)
				       : BPF_CORE_READ(task, mm, arg_start);
			u64 end = env ? BPF_CORE_READ(task, mm, env_end)
				      : BPF_CORE_READ(task, mm, arg_end);

			if (read_packed(from, end, tag))
				continue;
		} else {
			continue;
		}
		flight->failed &= ~(1 << i);
	}
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(show_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct flight *flight =
		task->bpf_storage ? bpf_task_storage_get(&flights, task, NULL, 0) : NULL;
	struct live_work *w = the_work();

	if (!flight || flight->state != FLIGHT_ACTIVE || !w)
		return 0;
	flight->started = 1;

	struct live_plan *what = plan_at(flight->plan);

	if (!what)
		return 0;
	read_program(flight, w, (void *)bprm, what);
	if (w->at && !send_ahead(flight, w, bpf_ktime_get_boot_ns()))
		flight->state = FLIGHT_LOST;
	return 0;
}

/* The thread whose exec ends this one, as all but itself. */
static __always_inline u32 superseded_by(struct task_struct___live *task)
{
	struct signal_struct___live *signal = BPF_CORE_READ(task, signal);
	struct task_struct___live *by;

	if (bpf_core_field_exists(struct signal_struct___live, group_exec_task))
		by = BPF_CORE_READ(signal, group_exec_task);
	else
		by = BPF_CORE_READ((struct signal_struct___old *)signal, group_exit_task);
	return by && by != task ? BPF_CORE_READ(by, pid) : 0;
}

static __always_inline int exits(struct task_struct *task)
{
	struct member *self =
		task->bpf_storage ? bpf_task_storage_get(&tasks, task, NULL, 0) : NULL;

	if (!self || self->phase == PHASE_SETUP || (self->flags & MEMBER_ASIDE))
		return 0;

	struct flight *flight = bpf_task_storage_get(&flights, task, NULL, 0);
	u64 now = bpf_ktime_get_boot_ns();

	if (flight && flight->state == FLIGHT_ACTIVE) {
		flight->state = FLIGHT_NONE;
		flight->call.outcome = LIVE_NEVER;
		if (shows_all())
			conclude(flight, 0, now);
	}
	if (show_exits) {
		struct live_exit record = {
			.status = BPF_CORE_READ((struct task_struct___live *)task, exit_code),
			.superseded_by = superseded_by((void *)task),
		};

		fill_head(&record.head, self, LIVE_EXIT, now);
		send(&record, sizeof(record), now, self->slot);
	}
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(show_exit, struct task_struct *task)
{
	return exits(task);
}

SEC("tp/sched/sched_process_exit")
int show_exit_perf(void *unused)
{
	return exits(bpf_get_current_task_btf());
}

SEC("tp_btf/signal_deliver")
int BPF_PROG(show_signal, int sig, struct kernel_siginfo *info)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct member *self =
		task->bpf_storage ? bpf_task_storage_get(&tasks, task, NULL, 0) : NULL;
	u64 now = bpf_ktime_get_boot_ns();

	if (!self || self->phase == PHASE_SETUP || (self->flags & MEMBER_ASIDE))
		return 0;
	/* SEND_SIG_NOINFO: not sent by anybody, but how each thread of a process that ends gets to
	 * know. */
	if (!info)
		return 0;

	struct live_signal record = {};

	fill_head(&record.head, self, LIVE_SIGNAL, now);
	bpf_probe_read_kernel(record.info, sizeof(record.info), info);
	send(&record, sizeof(record), now, self->slot);
	return 0;
}
