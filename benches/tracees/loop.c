// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * loop CALL CALLS FILE: makes a syscall that does next to nothing many times, on one CPU, and
 * writes what that took to FILE: nanoseconds of CPU time of this thread, and of wall time.
 *
 * CALL is getppid, or prctl (PR_GET_DUMPABLE): a call whose first argument can be recorded.
 */
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include "tracee.h"

static long long now(clockid_t clock)
{
	struct timespec time;

	CHECK(clock_gettime(clock, &time) == 0);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* The last CPU that we may use: the first has most of the interrupts. Where we may not choose, we
 * stay as we are. */
static void pin(void)
{
	cpu_set_t allowed, one;
	int last = -1;

	CHECK(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			last = cpu;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
}

static void calls(int prctls, long count)
{
	if (prctls)
		for (long i = 0; i < count; i++)
			syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
	else
		for (long i = 0; i < count; i++)
			syscall(SYS_getppid);
}

int main(int argc, char **argv)
{
	CHECK(argc == 4);
	int prctls = strcmp(argv[1], "prctl") == 0;
	long count = atol(argv[2]);

	CHECK(prctls || strcmp(argv[1], "getppid") == 0);
	CHECK(count > 0);
	pin();
	/* The first call is recorded, and the caches are cold. */
	calls(prctls, count / 100 + 1);

	long long wall = now(CLOCK_MONOTONIC), cpu = now(CLOCK_THREAD_CPUTIME_ID);

	calls(prctls, count);
	cpu = now(CLOCK_THREAD_CPUTIME_ID) - cpu;
	wall = now(CLOCK_MONOTONIC) - wall;

	FILE *file = fopen(argv[3], "w");

	CHECK(file && fprintf(file, "%lld %lld\n", cpu, wall) > 0 && fclose(file) == 0);
	return 0;
}
