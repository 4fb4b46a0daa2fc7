// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * unshare: a child in new mount and pid namespaces, where it is pid 1, with a child of its own.
 * Each makes a call that nothing else here makes (getsid, getpgid). Needs root.
 */
#include <sched.h>

#include "tracee.h"

int main(void)
{
	pid_t child;

	CHECK(unshare(CLONE_NEWNS | CLONE_NEWPID) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(getpid() == 1);
		syscall(SYS_getsid, 0);
		child = fork();
		CHECK(child >= 0);
		if (child == 0) {
			syscall(SYS_getpgid, 0);
			_exit(0);
		}
		reap(child);
		_exit(0);
	}
	reap(child);
	return 0;
}
