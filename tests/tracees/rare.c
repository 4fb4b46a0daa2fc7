// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * rare [wait] NAME...: makes each named call of harmless.h once, the first in the process itself,
 * the second in a thread, the third in a child that executes this program again, the fourth in a
 * grandchild, and so on. Thread, child and grandchild are there also without names, so the names
 * make no other difference. With `wait` it prints "ready" first, and waits for a byte or the end
 * of standard input.
 */
#include <pthread.h>

#include "harmless.h"

#define WAYS 4

static int names;
static char **name;

static void make(int way)
{
	for (int i = way; i < names; i += WAYS) {
		size_t at = 0;

		while (at < HARMLESS_COUNT && strcmp(harmless[at].name, name[i]) != 0)
			at++;
		CHECK(at < HARMLESS_COUNT);
		call_harmless(&harmless[at]);
	}
}

static void *thread_main(void *unused)
{
	make(1);
	return unused;
}

/* What the child is after its exec. */
static int child_main(void)
{
	pid_t grandchild;

	make(2);
	grandchild = fork();
	CHECK(grandchild >= 0);
	if (grandchild == 0) {
		make(3);
		_exit(0);
	}
	reap(grandchild);
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	pid_t child;
	char byte;

	names = argc - 1;
	name = argv + 1;
	if (names > 0 && strcmp(name[0], "child") == 0) {
		names--;
		name++;
		return child_main();
	}
	if (names > 0 && strcmp(name[0], "wait") == 0) {
		names--;
		name++;
		CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
		CHECK(read(STDIN_FILENO, &byte, 1) >= 0);
	}
	/* Whether the library waits for the thread depends on who is faster. */
	syscall(SYS_futex, &thread, 1 /* FUTEX_WAKE */, 0, NULL, NULL, 0);
	make(0);
	CHECK(pthread_create(&thread, NULL, thread_main, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		char **words = calloc((size_t)names + 3, sizeof(*words));

		CHECK(words);
		words[0] = argv[0];
		words[1] = "child";
		memcpy(words + 2, name, (size_t)names * sizeof(*words));
		execv(argv[0], words);
		_exit(98);
	}
	reap(child);
	return 0;
}
