// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The floor: a program that does nothing, at the attach point of the recorder.
 *
 * It runs at every syscall of every task on the machine, as the recorder does.
 * What it costs is what the kernel asks for calling any program there, so it is
 * what the recorder is compared with.
 *
 * The others do nothing either, but ask the kernel who calls, and what is stored
 * with that task. A recorder has to. What such a question costs depends on the
 * machine: where every return is guarded (Safe RET), tens of nanoseconds.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} storage SEC(".maps");

/* What is asked is used, so that it stays. */
__u64 answers = 0;

SEC("tp_btf/sys_enter")
int floor_of_sys_enter(void *ctx)
{
	(void)ctx;
	return 0;
}

SEC("tp_btf/sys_enter")
int floor_with_task(void *ctx)
{
	(void)ctx;
	if (!bpf_get_current_task_btf())
		answers++;
	return 0;
}

SEC("tp_btf/sys_enter")
int floor_with_storage(void *ctx)
{
	(void)ctx;
	if (bpf_task_storage_get(&storage, bpf_get_current_task_btf(), NULL, 0))
		answers++;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
