// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * swarm THREADS: as many threads, each of which starts short-lived threads all the time, every
 * tenth also short-lived children, and a sleeping child for each call in the second half of
 * harmless.h. Prints "ready" when all are there. When a byte can be read from standard input they
 * stop, each thread makes a call of the first half and each child its own, and all end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "harmless.h"

static atomic_bool go;
static atomic_int busy;
static int gate[2];

static void *nothing(void *unused)
{
	return unused;
}

static void *churn(void *index)
{
	size_t i = (size_t)index;

	atomic_fetch_add(&busy, 1);
	while (!atomic_load(&go)) {
		pthread_t brief;

		CHECK(pthread_create(&brief, NULL, nothing, NULL) == 0);
		if (i % 10 == 0) {
			pid_t child = fork();

			CHECK(child >= 0);
			if (child == 0)
				_exit(0);
			reap(child);
		}
		CHECK(pthread_join(brief, NULL) == 0);
	}
	call_harmless(&harmless[i % (HARMLESS_COUNT / 2)]);
	return NULL;
}

static pid_t sleeper(size_t i)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		char byte;

		close(gate[1]);
		CHECK(read(gate[0], &byte, 1) == 0);
		call_harmless(&harmless[HARMLESS_COUNT / 2 + i]);
		_exit(0);
	}
	return child;
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	size_t count = (size_t)atol(argv[1]), children = HARMLESS_COUNT - HARMLESS_COUNT / 2;
	pthread_t *threads = calloc(count, sizeof(*threads));
	pid_t *sleeping = calloc(children, sizeof(*sleeping));
	char byte;

	CHECK(threads && sleeping && pipe(gate) == 0);
	for (size_t i = 0; i < children; i++)
		sleeping[i] = sleeper(i);
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_create(&threads[i], NULL, churn, (void *)i) == 0);
	while (atomic_load(&busy) < (int)count)
		usleep(1000);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) >= 0);
	atomic_store(&go, true);
	close(gate[1]);
	for (size_t i = 0; i < count; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	for (size_t i = 0; i < children; i++)
		reap(sleeping[i]);
	return 0;
}
