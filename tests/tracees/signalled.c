// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * signalled: takes signals from itself, from a child, from a timer, from a queue and from faults,
 * and dies of one.
 */
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "tracee.h"

static sigjmp_buf again;

static void taken(int number)
{
	if (number == SIGSEGV)
		siglongjmp(again, 1);
}

int main(void)
{
	const int numbers[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD, SIGSEGV, SIGRTMIN};
	struct sigaction action = {.sa_handler = taken};
	struct itimerval soon = {.it_value = {0, 1000}};
	union sigval value = {.sival_int = 7};
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	CHECK(sigprocmask(SIG_BLOCK, &all, NULL) == 0);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		CHECK(sigaction(numbers[i], &action, NULL) == 0);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	sigsuspend(&none);
	CHECK(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2) == 0);
	sigsuspend(&none);
	CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0);
	sigsuspend(&none);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	sigsuspend(&none);
	for (int how = 0; how < 2; how++) {
		pid_t child = fork();

		if (!child) {
			if (how)
				kill(getpid(), SIGKILL);
			_exit(3);
		}
		sigsuspend(&none);
		CHECK(waitpid(child, NULL, 0) == child);
	}
	if (!sigsetjmp(again, 1)) {
		sigprocmask(SIG_SETMASK, &none, NULL);
		*(volatile int *)8 = 1;
	}
	/* The mask of then is back. */
	sigprocmask(SIG_SETMASK, &none, NULL);
	raise(SIGTERM);
	return 0;
}
