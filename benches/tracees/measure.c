// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * measure FILE COMMAND...: runs COMMAND to its end and writes to FILE: nanoseconds of wall time,
 * nanoseconds of CPU time of all its processes, and the peak resident memory of the largest, in
 * KiB. Ends as COMMAND did.
 *
 * A process begins with the peak memory of the one that executed it (exec takes it over). Here that
 * is this small program, and not a benchmark of many MiB.
 */
#include <sys/resource.h>
#include <time.h>

#include "tracee.h"

static long long now(void)
{
	struct timespec time;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long nanoseconds(struct timeval time)
{
	return time.tv_sec * 1000000000LL + time.tv_usec * 1000LL;
}

int main(int argc, char **argv)
{
	CHECK(argc >= 3);
	struct rusage usage;
	int status;
	long long wall = now();
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		execvp(argv[2], argv + 2);
		CHECK(!"executed");
	}
	CHECK(wait4(child, &status, 0, &usage) == child);
	wall = now() - wall;

	FILE *file = fopen(argv[1], "w");
	long long cpu = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);

	CHECK(file && fprintf(file, "%lld %lld %ld\n", wall, cpu, usage.ru_maxrss) > 0);
	CHECK(fclose(file) == 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
