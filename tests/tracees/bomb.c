// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * bomb ROUNDS: processes that make processes, until the kernel refuses one more, and then all end;
 * so many times. Each makes one getpgid, and one of the last round a getsid. Prints how many there
 * were, without the first. Never run it without a limit.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>

#include "tracee.h"

static struct shared {
	atomic_long made;
	atomic_bool refused;
} * shared;

static void explode(void)
{
	while (!atomic_load(&shared->refused)) {
		pid_t child = fork();

		if (child < 0) {
			CHECK(errno == EAGAIN || errno == ENOMEM);
			atomic_store(&shared->refused, true);
		} else if (child == 0) {
			atomic_fetch_add(&shared->made, 1);
			syscall(SYS_getpgid, 0);
			explode();
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		continue;
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	CHECK(shared != MAP_FAILED);
	for (long round = atol(argv[1]); round > 0; round--) {
		atomic_store(&shared->refused, false);
		explode();
	}
	syscall(SYS_getsid, 0);
	printf("%ld\n", atomic_load(&shared->made));
	return 0;
}
