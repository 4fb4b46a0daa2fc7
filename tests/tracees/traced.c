// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * traced emulated|skipped|changed|killed: a program that traces a child, which calls getsid.
 * emulated: the tracer answers with 42 itself (PTRACE_SYSEMU). skipped: it makes the number -1 and
 * the answer 42. changed: it makes the call a getpgid. killed: it kills the child where it is about
 * to make the call.
 */
#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "tracee.h"

#if defined(__x86_64__)

typedef struct user_regs_struct registers;

static long number(pid_t child)
{
	registers regs;

	CHECK(ptrace(PTRACE_GETREGS, child, 0, &regs) == 0);
	return (long)regs.orig_rax;
}

static long first_argument(const registers *regs)
{
	return (long)regs->rdi;
}

static void set_number(pid_t child, long nr)
{
	registers regs;

	CHECK(ptrace(PTRACE_GETREGS, child, 0, &regs) == 0);
	regs.orig_rax = (unsigned long)nr;
	CHECK(ptrace(PTRACE_SETREGS, child, 0, &regs) == 0);
}

static void set_result(registers *regs, long result)
{
	regs->rax = (unsigned long)result;
}

#elif defined(__aarch64__)

/* Since Linux 5.3; not in every C library. */
#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#endif

typedef struct user_regs_struct registers;

static long number(pid_t child)
{
	int nr = -1;
	struct iovec into = {&nr, sizeof(nr)};

	CHECK(ptrace(PTRACE_GETREGSET, child, NT_ARM_SYSTEM_CALL, &into) == 0);
	return nr;
}

static long first_argument(const registers *regs)
{
	return (long)regs->regs[0];
}

static void set_number(pid_t child, long nr)
{
	int value = (int)nr;
	struct iovec from = {&value, sizeof(value)};

	CHECK(ptrace(PTRACE_SETREGSET, child, NT_ARM_SYSTEM_CALL, &from) == 0);
}

static void set_result(registers *regs, long result)
{
	regs->regs[0] = (unsigned long)result;
}

#else
#error "no way to read this architecture's registers"
#endif

static registers read_registers(pid_t child)
{
	registers regs;
	struct iovec into = {&regs, sizeof(regs)};

	CHECK(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &into) == 0);
	return regs;
}

static void stop(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSTOPPED(status));
}

/* Goes on by `request` until the child is about to call getsid. */
static void until_getsid(pid_t child, int request)
{
	registers regs;

	stop(child);
	do {
		CHECK(ptrace(request, child, 0, 0) == 0);
		stop(child);
		regs = read_registers(child);
	} while (number(child) != SYS_getsid || first_argument(&regs) != 0);
}

static void answer(pid_t child, long result)
{
	registers regs = read_registers(child);
	struct iovec from = {&regs, sizeof(regs)};

	set_result(&regs, result);
	CHECK(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &from) == 0);
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
	pid_t child;
	int status;

	CHECK(argc == 2);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		body(argv[1]);
	if (strcmp(argv[1], "emulated") == 0) {
		until_getsid(child, PTRACE_SYSEMU);
		answer(child, 42);
		/* The child's next call is one of ours again; then it may go. */
		CHECK(ptrace(PTRACE_SYSEMU, child, 0, 0) == 0);
		stop(child);
		CHECK(number(child) == SYS_exit_group);
		CHECK(ptrace(PTRACE_KILL, child, 0, 0) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		return 0;
	}
	until_getsid(child, PTRACE_SYSCALL);
	if (strcmp(argv[1], "killed") == 0) {
		CHECK(kill(child, SIGKILL) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		return 0;
	}
	if (strcmp(argv[1], "skipped") == 0) {
		set_number(child, -1);
		CHECK(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
		stop(child);
		answer(child, 42);
	} else {
		CHECK(strcmp(argv[1], "changed") == 0);
		set_number(child, SYS_getpgid);
	}
	CHECK(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	reap(child);
	return 0;
}
