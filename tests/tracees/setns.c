// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * setns: enters the mount and pid namespaces of a child that waits there, forks into them, and that
 * second child makes a call of its own (getsid). Needs root.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "tracee.h"

static void enter(pid_t pid, const char *which)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && setns(fd, 0) == 0 && close(fd) == 0);
}

int main(void)
{
	int alive[2];
	pid_t keeper, child;
	char byte;

	CHECK(pipe2(alive, O_CLOEXEC) == 0);
	keeper = (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	CHECK(keeper >= 0);
	if (keeper == 0) {
		close(alive[1]);
		_exit(read(alive[0], &byte, 1) == 0 ? 0 : 98);
	}
	close(alive[0]);
	enter(keeper, "pid");
	enter(keeper, "mnt");
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		syscall(SYS_getsid, 0);
		_exit(0);
	}
	reap(child);
	close(alive[1]);
	reap(keeper);
	return 0;
}
