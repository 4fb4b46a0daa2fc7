// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * traced emulated|skipped|changed|killed: a program that traces a child, which calls getsid.
 * emulated: the tracer answers with 42 itself (PTRACE_SYSEMU). skipped: it makes the number -1 and
 * the answer 42. changed: it makes the call a getpgid. killed: it kills the child where it is about
 * to make the call.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "tracee.h"

#if defined(__x86_64__)

static struct user_regs_struct stop(pid_t child)
{
	struct user_regs_struct regs;
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSTOPPED(status));
	CHECK(ptrace(PTRACE_GETREGS, child, 0, &regs) == 0);
	return regs;
}

/* Goes on by `request` until the child is about to call getsid. */
static struct user_regs_struct until_getsid(pid_t child, int request)
{
	struct user_regs_struct regs = stop(child);

	do {
		CHECK(ptrace(request, child, 0, 0) == 0);
		regs = stop(child);
	} while (regs.orig_rax != SYS_getsid || regs.rdi != 0);
	return regs;
}

static void set(pid_t child, struct user_regs_struct regs, unsigned long nr, unsigned long result)
{
	regs.orig_rax = nr;
	regs.rax = result;
	CHECK(ptrace(PTRACE_SETREGS, child, 0, &regs) == 0);
}

static void body(const char *mode)
{
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
	CHECK(raise(SIGSTOP) == 0);

	long got = syscall(SYS_getsid, 0), expected = 42;

	if (strcmp(mode, "changed") == 0)
		expected = getpgid(0);
	CHECK(got == expected);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct user_regs_struct regs;
	pid_t child;
	int status;

	CHECK(argc == 2);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		body(argv[1]);
	if (strcmp(argv[1], "emulated") == 0) {
		regs = until_getsid(child, PTRACE_SYSEMU);
		set(child, regs, SYS_getsid, 42);
		/* The child's next call is one of ours again; then it may go. */
		CHECK(ptrace(PTRACE_SYSEMU, child, 0, 0) == 0);
		regs = stop(child);
		CHECK(regs.orig_rax == SYS_exit_group);
		CHECK(ptrace(PTRACE_KILL, child, 0, 0) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		return 0;
	}
	regs = until_getsid(child, PTRACE_SYSCALL);
	if (strcmp(argv[1], "killed") == 0) {
		CHECK(kill(child, SIGKILL) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		return 0;
	}
	if (strcmp(argv[1], "skipped") == 0) {
		set(child, regs, -1UL, (unsigned long)-ENOSYS);
		CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
		set(child, stop(child), -1UL, 42);
	} else {
		CHECK(strcmp(argv[1], "changed") == 0);
		set(child, regs, SYS_getpgid, (unsigned long)-ENOSYS);
	}
	CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	reap(child);
	return 0;
}

#else

int main(void)
{
	return 0;
}

#endif
