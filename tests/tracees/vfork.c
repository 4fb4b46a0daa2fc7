// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * vfork: a child that shares its parent's memory, makes a call of its own (getsid), and execs this
 * program again, which makes another (getpgid).
 */
#include "tracee.h"

int main(int argc, char **argv)
{
	pid_t child;

	if (argc > 1) {
		syscall(SYS_getpgid, 0);
		return 0;
	}
	child = vfork();
	CHECK(child >= 0);
	if (child == 0) {
		syscall(SYS_getsid, 0);
		execl("/proc/self/exe", argv[0], "again", (char *)NULL);
		_exit(98);
	}
	reap(child);
	return 0;
}
