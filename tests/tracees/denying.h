/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A filter that answers one call in another way, and allows all others. */
#ifndef DENYING_H
#define DENYING_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define DENYING(call, action)                                                                      \
	{                                                                                          \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),             \
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),                           \
			BPF_STMT(BPF_RET | BPF_K, action),                                         \
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),                              \
	}

#endif
