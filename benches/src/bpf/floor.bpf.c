// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The floor: a program that does nothing, at the attach point of the recorder.
 *
 * It runs at every syscall of every task on the machine, as the recorder does.
 * What it costs is what the kernel asks for calling any program there, so it is
 * what the recorder is compared with.
 */
#define SEC(name) __attribute__((section(name), used))

SEC("tp_btf/sys_enter")
int floor_of_sys_enter(void *ctx)
{
	(void)ctx;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
