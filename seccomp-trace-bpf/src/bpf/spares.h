/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The same as lifecycle.h once more, for kernels that preempt programs (since 7.0)
 * and skip them for every other task on that CPU meanwhile. These are where
 * nothing preempts: under the lock of a run queue, in a softirq, at a perf
 * tracepoint. Each comes later than its counterpart, and does nothing where that
 * one has done it.
 */
#pragma once

/* Under the lock of the child's run queue, before it runs. Its maker is current. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_newtask_spare, struct task_struct *child)
{
	u64 clone_flags = thread_flag_of(child);

	if (!was_told(child))
		return 0;
	if (containers && cgroup2_of(child) != cgroup2_of(bpf_get_current_task_btf()))
		clone_flags |= CLONE_INTO_CGROUP;
	return born(child, clone_flags);
}

/* When nobody can see the task any more. Who ends may not have been waited for yet. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_exit_spare, struct task_struct *task)
{
	return ended(task);
}

SEC("tp/sched/sched_process_exec")
int on_exec_spare(void *unused)
{
	return executed(bpf_get_current_task_btf());
}
