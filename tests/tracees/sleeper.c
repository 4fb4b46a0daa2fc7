// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * sleeper nanosleep|clock_nanosleep|poll MILLISECONDS: prints "ready", sleeps by that call, and
 * prints "slept". After STOP and CONT the kernel resumes each of these through restart_syscall.
 * Ends with 99 when it woke up early or with an error.
 */
#include <poll.h>
#include <time.h>

#include "tracee.h"

static long long now_ms(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	long ms = atol(argv[2]);
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};
	long long started = now_ms();

	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	if (strcmp(argv[1], "nanosleep") == 0)
		CHECK(syscall(SYS_nanosleep, &time, NULL) == 0);
	else if (strcmp(argv[1], "clock_nanosleep") == 0)
		CHECK(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL) == 0);
	else
		CHECK(strcmp(argv[1], "poll") == 0 && poll(NULL, 0, (int)ms) == 0);
	CHECK(now_ms() - started >= ms);
	CHECK(write(STDOUT_FILENO, "slept\n", 6) == 6);
	return 0;
}
