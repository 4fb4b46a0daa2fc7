/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps that the recorder and the seeding programs share. */
#pragma once

/* Membership: a task with storage is traced. No capacity, no pid reuse. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct member);
} tasks SEC(".maps");

/* Slots; sized by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct target);
} targets SEC(".maps");
