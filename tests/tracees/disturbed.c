// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * disturbed: calls that do not go straight to their end. Signal handlers interrupt a read, which is
 * restarted, and a sleep, which is not; a child is stopped and continued in a sleep, which comes
 * back as restart_syscall; children are killed by SIGKILL in a sleep, in a busy loop of calls, and
 * in a vfork; a thread ends while others are in calls; a process of several threads is killed.
 */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "waits.h"

static volatile sig_atomic_t handled;

static void handler(int number)
{
	/* A call within an interrupted call. */
	syscall(SYS_getppid);
	handled += number != 0;
}

static void nap(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	syscall(SYS_nanosleep, &time, NULL);
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	int ends[2];
	char byte;
	pid_t child, parent = getpid();

	CHECK(pipe(ends) == 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		for (int i = 0; i < 20; i++) {
			nap(2);
			kill(parent, SIGUSR1);
		}
		CHECK(write(ends[1], "x", 1) == 1);
		_exit(0);
	}
	CHECK(read(ends[0], &byte, 1) == 1);
	nap(1);
	reap(child);
	CHECK(handled > 0);
}

static void until(pid_t pid, char wanted)
{
	while (state_of(pid, pid) != wanted)
		nap(1);
}

static void restarted(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		nap(200);
		_exit(0);
	}
	until(child, 'S');
	CHECK(kill(child, SIGSTOP) == 0);
	until(child, 'T');
	CHECK(kill(child, SIGCONT) == 0);
	reap(child);
}

static void *endless(void *unused)
{
	(void)unused;
	for (;;)
		syscall(SYS_getppid);
	return NULL;
}

static void killed(void)
{
	for (int way = 0; way < 4; way++) {
		pid_t child = fork();
		pthread_t thread;
		int status;

		CHECK(child >= 0);
		if (child == 0) {
			if (way == 0)
				nap(60000);
			if (way == 2 && vfork() == 0) {
				nap(300);
				_exit(0);
			}
			if (way == 3)
				CHECK(pthread_create(&thread, NULL, endless, NULL) == 0);
			endless(NULL);
		}
		if (way == 0)
			until(child, 'S');
		else
			nap(20);
		CHECK(kill(child, SIGKILL) == 0);
		CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	}
}

static void *one_call(void *unused)
{
	(void)unused;
	syscall(SYS_getppid);
	return NULL;
}

int main(void)
{
	pthread_t threads[8];

	interrupted();
	restarted();
	killed();
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 8; i++)
			CHECK(pthread_create(&threads[i], NULL, one_call, NULL) == 0);
		for (int i = 0; i < 8; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
	}
	return 0;
}
