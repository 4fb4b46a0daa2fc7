// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * forks COUNT PROGRAM: makes COUNT children one after the other and waits for each; every tenth
 * executes PROGRAM.
 */
#include "tracee.h"

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	for (long i = 0; i < atol(argv[1]); i++) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0 && i % 10 == 0) {
			execl(argv[2], argv[2], (char *)NULL);
			CHECK(!"executed");
		}
		if (child == 0)
			_exit(0);
		reap(child);
	}
	return 0;
}
