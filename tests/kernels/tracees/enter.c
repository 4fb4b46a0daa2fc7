// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * enter move|clone3|stay CGROUP PID prctl|seccomp|none CMD...: enters a container from outside, as
 * a runtime's exec does. It is moved into the cgroup (by its own write), or born there, or stays
 * where it is; it enters the mount namespace of PID (0: it stays in its own), calls getpriority,
 * installs a filter, calls mincore, and executes CMD.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>

#include "filter.h"

static int open_in(const char *folder, const char *name, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static void go(char **argv)
{
	char folder[64];

	if (strcmp(argv[3], "0") != 0) {
		snprintf(folder, sizeof(folder), "/proc/%s/ns", argv[3]);
		int fd = open_in(folder, "mnt", O_RDONLY);

		CHECK(setns(fd, CLONE_NEWNS) == 0);
		close(fd);
	}
	syscall(SYS_getpriority, -1, 0);
	confine(argv[4]);
	syscall(SYS_mincore, -1L, 0L, 0L);
	execv(argv[5], argv + 5);
	_exit(98);
}

int main(int argc, char **argv)
{
	CHECK(argc > 5);
	if (strcmp(argv[1], "move") == 0) {
		int fd = open_in(argv[2], "cgroup.procs", O_WRONLY);

		CHECK(write(fd, "0", 1) == 1 && close(fd) == 0);
	} else if (strcmp(argv[1], "clone3") == 0) {
		int fd = open_in(argv[2], ".", O_RDONLY | O_DIRECTORY);
		struct clone_args args = {
			.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
		pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

		CHECK(child >= 0);
		if (child > 0) {
			reap(child);
			return 0;
		}
	} else {
		CHECK(strcmp(argv[1], "stay") == 0);
	}
	go(argv);
}
