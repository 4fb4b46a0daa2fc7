/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Whether a task waits in a call, for tracees that end one which does. A task killed between the
 * end of a call and its return to user space has made a call whose end one recorder sees and
 * another does not; one killed where a tracer holds it at the beginning of a call has made none.
 */
#ifndef WAITS_H
#define WAITS_H

#include <fcntl.h>

#include "tracee.h"

static inline void read_of_task(pid_t pid, pid_t tid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	CHECK((fd = open(path, O_RDONLY)) >= 0);
	CHECK((length = read(fd, text, size - 1)) >= 0);
	close(fd);
	text[length] = 0;
}

/* The state of a thread, as /proc/PID/task/TID/stat has it. */
static inline char state_of(pid_t pid, pid_t tid)
{
	char stat[512];
	const char *name_end;

	read_of_task(pid, tid, "stat", stat, sizeof(stat));
	CHECK((name_end = strrchr(stat, ')')));
	return name_end[2];
}

/* Whether this thread sleeps in the call of that number, for longer than it takes to ask. */
static inline int waits_in(pid_t pid, pid_t tid, long nr)
{
	char call[128], state;

	read_of_task(pid, tid, "syscall", call, sizeof(call));
	state = state_of(pid, tid);
	CHECK(state != 'Z');
	return strncmp(call, "running", 7) != 0 && strtol(call, NULL, 10) == nr && state == 'S';
}

#endif
