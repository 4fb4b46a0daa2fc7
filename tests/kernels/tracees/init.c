// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * init prctl|seccomp|none hook|- CMD...: behaves as a runtime's init. It enters a mount namespace
 * of its own, prints "ready", and waits for a byte on standard input, as init waits for its hooks.
 * In setup it calls getitimer, and with `hook` runs a child that calls msync, and one that executes
 * a program that calls fdatasync. It installs a seccomp filter in the given way, calls eventfd2,
 * runs a child that calls getpgid, and executes CMD.
 */
#include <sched.h>

#include "filter.h"

static void child(const char *name, long nr)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		syscall(nr, -1L, 0L, 0L);
		if (name) {
			execl("/tracees/caller", "caller", name, (char *)NULL);
			_exit(98);
		}
		_exit(0);
	}
	reap(pid);
}

int main(int argc, char **argv)
{
	char byte;

	CHECK(argc > 3 && unshare(CLONE_NEWNS) == 0);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) == 1);
	syscall(SYS_getitimer, -1, 0);
	if (strcmp(argv[2], "hook") == 0) {
		child(NULL, SYS_msync);
		child("fdatasync", SYS_msync);
	}
	confine(argv[1]);
	syscall(SYS_eventfd2, -1, -1);
	child(NULL, SYS_getpgid);
	execv(argv[3], argv + 3);
	return 98;
}
