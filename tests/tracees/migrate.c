// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * migrate TIMES: changes its CPU so many times, each time within a call (sched_setaffinity) that
 * begins on one and ends on another where there are several, and calls getppid after each.
 */
#include <sched.h>

#include "tracee.h"

int main(int argc, char **argv)
{
	cpu_set_t allowed;

	CHECK(argc == 2 && sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
	for (long i = 0, cpu = 0; i < atol(argv[1]); i++) {
		cpu_set_t one;

		do
			cpu = (cpu + 1) % CPU_SETSIZE;
		while (!CPU_ISSET(cpu, &allowed));
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		CHECK(sched_setaffinity(0, sizeof(one), &one) == 0);
		syscall(SYS_getppid);
	}
	return 0;
}
