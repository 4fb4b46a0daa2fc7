// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * chain orphans|adopted: a chain of processes, each of which makes the next and ends, as fast as
 * they can, with process ids in no order, so that who goes through them in order misses most.
 * "adopted": their first ancestor takes them over, so that each of them is its child;
 * "orphans": nobody of the chain does. Prints "ready" when the chain runs. When standard input has
 * ended, the process that is there then makes every call of harmless.h, and all end.
 */
#include <linux/sched.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "harmless.h"

struct shared {
	atomic_bool go, done;
	atomic_long links;
};

/* A child with any id; needs privileges. */
static pid_t next_link(void)
{
	static unsigned seed;

	for (;;) {
		pid_t wanted = 300 + rand_r(&seed) % 32000;
		struct clone_args args = {
			.exit_signal = SIGCHLD,
			.set_tid = (uintptr_t)&wanted,
			.set_tid_size = 1,
		};
		pid_t child = syscall(SYS_clone3, &args, sizeof(args));

		if (child >= 0)
			return child;
		/* Somebody has it, or it has not been reaped yet. */
		CHECK(errno == EEXIST);
	}
}

static void link_of(struct shared *shared)
{
	while (!atomic_load(&shared->go)) {
		if (next_link() > 0)
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
	while (!atomic_load(&shared->done)) {
		struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

		if (!atomic_load(&shared->go) && poll(&input, 1, 0) > 0)
			atomic_store(&shared->go, 1);
		waitpid(-1, NULL, WNOHANG);
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}
