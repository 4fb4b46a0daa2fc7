/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Installs a seccomp filter that allows everything, in the ways that runtimes do. */
#ifndef FILTER_H
#define FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "tracee.h"

static inline void confine(const char *how)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = 1, .filter = &allow};

	if (strcmp(how, "prctl") == 0)
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
	else if (strcmp(how, "seccomp") == 0)
		CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			      &program) == 0);
	else
		CHECK(strcmp(how, "none") == 0);
}

#endif
