/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tells the signals of a launched command from those of its launcher. */
#pragma once

/* The process that launched a command, marked so that its signals are told. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, u32);
} launchers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct signal_tally);
} signals SEC(".maps");

/* Signals of one kill(2) to a process group are this close together. */
#define SAME_KILL_NS 100000000ULL

/*
 * Lets the launcher tell a signal that was sent to it alone from one that its
 * command got as well (^C, kill of the process group): only the former is to be
 * forwarded. A process group is signalled newest member first, so the command's
 * signal comes before the launcher's. What the launcher sends does not count.
 */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int sig, struct kernel_siginfo *info, struct task_struct *task, int group)
{
	struct task_struct *sender = bpf_get_current_task_btf();
	u64 nr = sig;

	if (!has_storage(task) || nr >= NSIG)
		return 0;
	if (has_storage(sender) && bpf_task_storage_get(&launchers, sender, NULL, 0))
		return 0;

	u32 *launcher = bpf_task_storage_get(&launchers, task, NULL, 0);
	struct member *self = bpf_task_storage_get(&tasks, task, NULL, 0);
	bool to_command = !launcher && group && self && (self->flags & MEMBER_INIT);

	if (!launcher && !to_command)
		return 0;

	u32 slot = launcher ? *launcher : self->slot;
	struct signal_tally *tally = bpf_map_lookup_elem(&signals, &slot);
	u64 now = bpf_ktime_get_boot_ns();
	u32 tid = (u32)bpf_get_current_pid_tgid();

	if (!tally)
		return 0;

	struct last_signal *last = &tally->command[nr];

	if (to_command) {
		last->time_ns = now;
		last->sender = tid;
	} else if (last->time_ns && last->sender == tid && now - last->time_ns < SAME_KILL_NS) {
		last->time_ns = 0;
	} else {
		__sync_fetch_and_add(&tally->alone[nr], 1);
	}
	return 0;
}
