// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * Has the kernel work for it on threads of this process, and waits for the end of standard input:
 * a thread that polls a ring for requests, and one that a request to read a pipe blocks in.
 * Writes "ready" when both are there.
 */
#include <dirent.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tracee.h"

static int ring(struct io_uring_params *params)
{
	int fd = syscall(SYS_io_uring_setup, 4, params);

	CHECK(fd >= 0);
	return fd;
}

static int threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	int count = 0;

	CHECK(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2; /* . and .. */
}

static void *mapped(int fd, size_t size, off_t what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, what);

	CHECK(at != MAP_FAILED);
	return at;
}

int main(void)
{
	struct io_uring_params polled = {.flags = IORING_SETUP_SQPOLL, .sq_thread_idle = 100000};
	struct io_uring_params waits = {};
	int fd = ring(&waits), pipes[2];
	static char buffer[8];
	char byte;

	ring(&polled);
	CHECK(pipe(pipes) == 0);

	size_t size = waits.sq_off.array + waits.sq_entries * sizeof(unsigned);
	char *queue = mapped(fd, size, IORING_OFF_SQ_RING);
	struct io_uring_sqe *request =
		mapped(fd, waits.sq_entries * sizeof(*request), IORING_OFF_SQES);

	*request = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = pipes[0],
		.addr = (unsigned long)buffer,
		.len = sizeof(buffer),
		.flags = IOSQE_ASYNC,
	};
	*(unsigned *)(queue + waits.sq_off.tail) = 1;
	CHECK(syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0) == 1);
	while (threads() < 3)
		usleep(1000);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	return 0;
}
