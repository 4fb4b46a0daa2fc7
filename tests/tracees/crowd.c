// SPDX-License-Identifier: Apache-2.0 OR MIT
/* crowd COUNT: so many threads, one after the other, each of which makes one getppid. */
#include <pthread.h>

#include "tracee.h"

static void *calls(void *unused)
{
	syscall(SYS_getppid);
	return unused;
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	for (long i = 0; i < atol(argv[1]); i++) {
		pthread_t thread;

		CHECK(pthread_create(&thread, NULL, calls, NULL) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	return 0;
}
