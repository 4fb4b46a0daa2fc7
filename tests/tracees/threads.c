// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * threads: as many threads as harmless.h has calls, each making one of them that no other makes.
 * Prints the names.
 */
#include <pthread.h>

#include "harmless.h"

static void *body(void *call)
{
	call_harmless(call);
	return NULL;
}

int main(void)
{
	pthread_t threads[HARMLESS_COUNT];

	for (size_t i = 0; i < HARMLESS_COUNT; i++)
		CHECK(pthread_create(&threads[i], NULL, body, (void *)&harmless[i]) == 0);
	for (size_t i = 0; i < HARMLESS_COUNT; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	for (size_t i = 0; i < HARMLESS_COUNT; i++)
		puts(harmless[i].name);
	return 0;
}
