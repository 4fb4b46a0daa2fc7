/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What every tracee shares. A tracee shows one behaviour, is deterministic, ends with 0, and with
 * another status when its own behaviour failed: a test must not pass because nothing happened.
 */
#ifndef TRACEE_H
#define TRACEE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition,         \
				strerror(errno));                                                  \
			_exit(99);                                                                 \
		}                                                                                  \
	} while (0)

/* Waits for a child and checks that it ended with 0. */
static inline void reap(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

#endif
