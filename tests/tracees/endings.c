// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * endings: calls that end in every way that there is: children that are killed in a sleep by KILL
 * and by TERM, a process whose other thread sleeps when it exits, a sleep that a handler
 * interrupts, one that is resumed after STOP and CONT, and a thread that executes the program
 * again.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "tracee.h"
#include "waits.h"

static void sleep_for(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	syscall(SYS_nanosleep, &time, NULL);
}

static volatile pid_t sleeping;

static void *sleeps(void *unused)
{
	sleeping = gettid();
	sleep_for(1000000);
	return unused;
}

static void handler(int signal)
{
	(void)signal;
}

static void until_sleeping(pid_t pid, volatile pid_t *tid)
{
	while (!*tid || !waits_in(pid, *tid, SYS_nanosleep))
		usleep(1000);
}

static pid_t sleeper(long ms)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		signal(SIGUSR1, handler);
		sleep_for(ms);
		_exit(0);
	}
	until_sleeping(child, &child);
	return child;
}

static void *executes(void *program)
{
	until_sleeping(getpid(), &sleeping);
	execl("/proc/self/exe", program, "again", NULL);
	_exit(99);
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int status;
	pid_t child;

	if (argc == 2)
		return 0;
	for (int i = 0; i < 2; i++) {
		child = sleeper(1000000);
		CHECK(kill(child, i ? SIGTERM : SIGKILL) == 0);
		CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	}
	child = sleeper(1000000);
	CHECK(kill(child, SIGUSR1) == 0);
	reap(child);
	child = sleeper(1000);
	CHECK(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child);
	CHECK(kill(child, SIGCONT) == 0);
	reap(child);
	child = fork();
	if (child == 0) {
		CHECK(pthread_create(&thread, NULL, sleeps, NULL) == 0);
		until_sleeping(getpid(), &sleeping);
		exit(0);
	}
	reap(child);
	CHECK(pthread_create(&thread, NULL, executes, argv[0]) == 0);
	sleeps(NULL);
	return 99;
}
