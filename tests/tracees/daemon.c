// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * daemon [HOLD]: forks twice with a session of its own between, as daemons do. When the command
 * itself has gone, the daemon makes calls that nothing else here makes (timerfd_create,
 * inotify_init1) and ends. With HOLD, a file that exists, the daemon first writes its pid into it,
 * and lives until that file is removed: only then does it make those calls.
 */
#include <fcntl.h>
#include <signal.h>

#include "tracee.h"

static void become_daemon(const char *hold)
{
	/* The writing end of this pipe is held by the command; reading sees its end. */
	int alive[2];
	pid_t child;

	CHECK(pipe2(alive, O_CLOEXEC) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child > 0) {
		close(alive[0]);
		reap(child);
		_exit(0); /* the command ends here, and the pipe with it */
	}
	CHECK(setsid() > 0);
	child = fork();
	CHECK(child >= 0);
	if (child > 0) {
		if (hold) {
			FILE *file = fopen(hold, "w");

			CHECK(file && fprintf(file, "%d\n", child) > 0 && fclose(file) == 0);
		}
		_exit(0);
	}
	close(alive[1]);
	char byte;
	CHECK(read(alive[0], &byte, 1) == 0);
}

int main(int argc, char **argv)
{
	const char *hold = argc > 1 ? argv[1] : NULL;

	become_daemon(hold);
	/* A test that reads our output must not wait for us. */
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		CHECK(dup2(null, fd) == fd);
	/* Two minutes at most: a test that was killed must leave nothing for ever. */
	for (int i = 0; hold && access(hold, F_OK) == 0 && i < 6000; i++)
		usleep(20000);
	syscall(SYS_timerfd_create, -1, 0);
	syscall(SYS_inotify_init1, -1);
	return 0;
}
