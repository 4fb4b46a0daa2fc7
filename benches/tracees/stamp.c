// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * stamp FILE [COMMAND...]: appends the time (CLOCK_MONOTONIC, nanoseconds) to FILE as a line, and
 * executes COMMAND, or ends.
 */
#include <fcntl.h>
#include <time.h>

#include "tracee.h"

int main(int argc, char **argv)
{
	CHECK(argc >= 2);
	int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	struct timespec time;

	CHECK(file >= 0 && clock_gettime(CLOCK_MONOTONIC, &time) == 0);
	CHECK(dprintf(file, "%lld\n", time.tv_sec * 1000000000LL + time.tv_nsec) > 0);
	if (argc == 2)
		return 0;
	execvp(argv[2], argv + 2);
	CHECK(!"executed");
}
