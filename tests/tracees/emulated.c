// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * emulated: a tracer that answers its tracee's calls itself, as user-mode kernels do. Of the
 * child's calls, getpgid is emulated (PTRACE_SYSEMU: the kernel does not make it), getsid is
 * turned into times before the kernel looks at it, and sysinfo is let go on. x86_64 alone.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/reg.h>

#include "tracee.h"

#define ANSWER 4242

static void child_main(void)
{
	CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
	CHECK(raise(SIGSTOP) == 0);
	/* The tracer emulates this one, */
	if (syscall(SYS_getpgid, 0) != ANSWER)
		_exit(1);
	/* makes another one of this, */
	if (syscall(SYS_getsid, 0) == getpid())
		_exit(2);
	/* and does not touch this. */
	if (syscall(SYS_sysinfo, NULL) != -1 || errno != EFAULT)
		_exit(3);
	_exit(0);
}

static void set(pid_t child, int reg, long value)
{
	CHECK(ptrace(PTRACE_POKEUSER, child, (void *)(sizeof(long) * (size_t)reg), (void *)value) ==
	      0);
}

/* Lets the child go on to its next stop at a call, which must be this one. */
static void next(pid_t child, enum __ptrace_request how, long nr)
{
	int status;

	do {
		CHECK(ptrace(how, child, NULL, NULL) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFSTOPPED(status));
	} while (ptrace(PTRACE_PEEKUSER, child, (void *)(sizeof(long) * ORIG_RAX), NULL) != nr);
}

int main(void)
{
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		child_main();
	CHECK(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	next(child, PTRACE_SYSEMU, SYS_getpgid);
	set(child, RAX, ANSWER);
	next(child, PTRACE_SYSCALL, SYS_getsid);
	set(child, ORIG_RAX, SYS_times);
	CHECK(ptrace(PTRACE_CONT, child, NULL, NULL) == 0);
	reap(child);
	return 0;
}
