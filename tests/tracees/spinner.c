// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * spinner NAME...: prints "ready" and waits for input, while a thread of it spins without any call.
 * Then the thread makes the named calls of harmless.h: the first of them is the first that it is
 * seen to make by whoever has attached meanwhile.
 */
#include <pthread.h>

#include "harmless.h"

static volatile int spinning, over;

static void *body(void *argv)
{
	spinning = 1;
	while (!over)
		;
	for (char **name = argv; *name; name++)
		for (size_t at = 0; at < HARMLESS_COUNT; at++)
			if (strcmp(harmless[at].name, *name) == 0)
				call_harmless(&harmless[at]);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char byte;

	CHECK(argc > 1);
	CHECK(pthread_create(&thread, NULL, body, argv + 1) == 0);
	while (!spinning)
		;
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) >= 0);
	over = 1;
	CHECK(pthread_join(thread, NULL) == 0);
	return 0;
}
