// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * exec_thread: a thread that is not the leader execs this program again. The kernel kills the
 * leader, which waits in futex, and gives its pid to the thread; what follows makes a call of its
 * own (getsid).
 */
#include <pthread.h>

#include "tracee.h"
#include "waits.h"

static void *body(void *name)
{
	/* The same calls, however often. */
	do
		usleep(1000);
	while (!waits_in(getpid(), getpid(), SYS_futex));
	execl("/proc/self/exe", name, "again", (char *)NULL);
	_exit(98);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1) {
		syscall(SYS_getsid, 0);
		return 0;
	}
	CHECK(pthread_create(&thread, NULL, body, argv[0]) == 0);
	pthread_join(thread, NULL);
	return 97;
}
