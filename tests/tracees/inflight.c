// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * inflight: threads that wait in calls which are never made again: nanosleep, fcntl(F_SETLKW), and
 * on x86 i386's pause through int 0x80, whose number (29) is shmget in the native table. The main
 * thread waits in read. Prints "ready" when the others wait, and ends at the end of standard input.
 */
#include <poll.h>
#include <pthread.h>
#include <time.h>

#include "waits.h"

static pid_t waiting[3];

static void *sleeps(void *unused)
{
	struct timespec long_time = {1000, 0};

	waiting[0] = gettid();
	syscall(SYS_nanosleep, &long_time, NULL);
	return unused;
}

static void *locks(void *file)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	waiting[1] = gettid();
	fcntl(*(int *)file, F_SETLKW, &lock);
	return NULL;
}

static void *pauses(void *unused)
{
	waiting[2] = gettid();
#if defined(__x86_64__)
	long result = 29;

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
#else
	ppoll(NULL, 0, NULL, NULL);
#endif
	return unused;
}

int main(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	void *(*bodies[])(void *) = {sleeps, locks, pauses};
	int held[2], file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	pthread_t threads[3];
	char byte;

	CHECK(file >= 0 && pipe(held) == 0);
	/* A process does not wait for its own locks. */
	if (fork() == 0) {
		CHECK(fcntl(file, F_SETLK, &lock) == 0 && write(held[1], "x", 1) == 1);
		close(held[1]);
		(void)!read(STDIN_FILENO, &byte, 1);
		_exit(0);
	}
	CHECK(read(held[0], &byte, 1) == 1);
	for (size_t i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, bodies[i], &file) == 0);
	for (size_t i = 0; i < 3; i++)
		while (!*(volatile pid_t *)&waiting[i] || state_of(getpid(), waiting[i]) != 'S')
			usleep(1000);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	_exit(0);
}
