// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * storm MILLIONS: two threads pinned to each core make that many millions of cheap calls together
 * (getppid), while the main thread makes every call of harmless.h once, spread over the whole time.
 * Prints the names that it made. "ready" on a line of its own comes first.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "harmless.h"

static atomic_long made;
static long share;

static void *body(void *core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
	for (long i = 0; i < share; i++) {
		syscall(SYS_getppid);
		if (i % 1000 == 999)
			atomic_fetch_add(&made, 1000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	cpu_set_t allowed;
	pthread_t threads[2 * CPU_SETSIZE];
	size_t count = 0;

	CHECK(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
	/* Whole thousands, because that is how `made` counts. */
	share = atol(argv[1]) * 1000 / (2L * CPU_COUNT(&allowed)) * 1000;
	CHECK(share > 0);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	for (size_t core = 0; core < CPU_SETSIZE; core++) {
		if (!CPU_ISSET(core, &allowed))
			continue;
		for (int i = 0; i < 2; i++)
			CHECK(pthread_create(&threads[count++], NULL, body, (void *)core) == 0);
	}
	long total = share * (long)count;
	for (size_t i = 0; i < HARMLESS_COUNT; i++) {
		while (atomic_load(&made) < total / (long)(HARMLESS_COUNT + 1) * (long)(i + 1))
			sched_yield();
		call_harmless(&harmless[i]);
	}
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	for (size_t i = 0; i < HARMLESS_COUNT; i++)
		puts(harmless[i].name);
	return 0;
}
