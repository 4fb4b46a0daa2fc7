// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * chain orphans|adopted: a chain of processes, each of which makes the next and ends, as fast as
 * they can. "adopted": their first ancestor takes them over, so that each of them is its child;
 * "orphans": nobody of the chain does. Prints "ready" when the chain runs. When standard input has
 * ended, the process that is there then makes every call of harmless.h, and all end.
 */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "harmless.h"

struct shared {
	atomic_bool go, done;
	atomic_long links;
};

static void link_of(struct shared *shared)
{
	while (!atomic_load(&shared->go)) {
		pid_t child = fork();

		CHECK(child >= 0);
		if (child > 0)
			_exit(0);
		atomic_fetch_add(&shared->links, 1);
	}
	for (size_t i = 0; i < HARMLESS_COUNT; i++)
		call_harmless(&harmless[i]);
	atomic_store(&shared->done, 1);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char byte;

	CHECK(argc == 2 && shared != MAP_FAILED);
	if (strcmp(argv[1], "adopted") == 0)
		CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	if (fork() == 0)
		link_of(shared);
	while (atomic_load(&shared->links) < 100)
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	/* Whoever is taken over has to be reaped; else process ids run out. */
	if (fork() == 0) {
		(void)!read(STDIN_FILENO, &byte, 1);
		atomic_store(&shared->go, 1);
		_exit(0);
	}
	while (!atomic_load(&shared->done))
		waitpid(-1, NULL, WNOHANG);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}
