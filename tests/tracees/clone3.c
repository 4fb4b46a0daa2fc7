// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * clone3: a child made by the raw call, which makes a call of its own (getsid).
 */
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>

#include "tracee.h"

int main(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long child = syscall(SYS_clone3, &args, sizeof(args));

	CHECK(child >= 0);
	if (child == 0) {
		syscall(SYS_getsid, 0);
		_exit(0);
	}
	reap((pid_t)child);
	return 0;
}
