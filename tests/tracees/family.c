// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * family WIDTH COUNT: WIDTH processes at the same time, each of which makes COUNT children, one
 * after the other. Each child makes one getsid, and so does a thread of it; every tenth executes
 * this program again, which makes one getpgid.
 */
#include <pthread.h>

#include "tracee.h"

static void *calls(void *unused)
{
	syscall(SYS_getsid, 0);
	return unused;
}

static void child(long number)
{
	pthread_t thread;

	syscall(SYS_getsid, 0);
	CHECK(pthread_create(&thread, NULL, calls, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	if (number % 10 == 0)
		execl("/proc/self/exe", "family", (char *)NULL);
	_exit(number % 10 == 0 ? 98 : 0);
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		syscall(SYS_getpgid, 0);
		return 0;
	}
	pid_t branches[64];
	long width = argc == 3 ? atol(argv[1]) : 0;

	CHECK(width > 0 && width <= 64);
	for (long i = 0; i < width; i++) {
		pid_t branch = branches[i] = fork();

		CHECK(branch >= 0);
		for (long number = 0; branch == 0 && number < atol(argv[2]); number++) {
			pid_t pid = fork();

			CHECK(pid >= 0);
			if (pid == 0)
				child(number);
			reap(pid);
		}
		if (branch == 0)
			_exit(0);
	}
	for (long i = 0; i < width; i++)
		reap(branches[i]);
	return 0;
}
