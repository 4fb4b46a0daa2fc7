// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * shown HOW [FILE]: makes calls whose memory or descriptors are hard to read, one kind at a time.
 *
 *   paths        long, cold, at the edge of a page, wrong and null ones, with faccessat(2)
 *   buffers      write, writev, read, pipe2, and addresses of sockets
 *   descriptors  dup(2) of all kinds; writes to FILE what /proc/self/fd says of each
 *   exec         executes `true` by a path and with an argument that were never touched
 *   exec-counted N  executes `true` with as many variables, whose list was never touched
 *   exec-touched N  the same after it was
 *   exec-many    executes `true` with forty arguments, and one of 3000 bytes
 *   count N      getppid(2) N times
 *   answered     getppid(2) is answered by a filter with 33, and by the kernel before
 *   waits        reads its standard input to the end while that filter is in force
 *   returns      from a signal's handler while that filter is in force
 *   forks        makes a child while that filter is in force
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "denying.h"
#include "tracee.h"

#define PAGE 4096

/* What is in no page table until somebody reads it. */
static void *cold_bytes(const void *bytes, size_t len)
{
	int file = memfd_create("cold", 0);
	void *page;

	CHECK(file >= 0 && ftruncate(file, PAGE) == 0);
	CHECK(pwrite(file, bytes, len, 0) == (ssize_t)len);
	page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	CHECK(page != MAP_FAILED && close(file) == 0);
	return page;
}

static char *cold(const char *text)
{
	return cold_bytes(text, strlen(text));
}

/* The end of a page whose next one cannot be read. */
static char *edge(void)
{
	char *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED && mprotect(pages + PAGE, PAGE, PROT_NONE) == 0);
	return pages + PAGE;
}

static void look(const char *path)
{
	syscall(SYS_faccessat, AT_FDCWD, path, F_OK);
}

static void paths(void)
{
	static char longest[PAGE], too_long[PAGE + 100];
	char *end = edge();

	look("/plain");
	look(cold("/cold"));
	look(memcpy(end - 5, "/end", 5));
	look(memcpy(end - 6, "/edges", 6));
	look((char *)8);
	look(NULL);
	look("");
	memset(longest, 'l', sizeof(longest) - 1);
	look(longest);
	memset(too_long, 't', sizeof(too_long) - 1);
	look(too_long);
	look("\x1b[31m\xff");
}

static void buffers(void)
{
	char text[101] = "0123456789012345678901234567890123456789", back[64], *end = edge();
	int ends[2], server = socket(AF_INET, SOCK_STREAM, 0), client;
	struct iovec vector[3] = {{"one", 3}, {(void *)8, 2}, {"three", 5}};
	struct sockaddr_in address = {.sin_family = AF_INET}, peer;
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(pipe2(ends, O_NONBLOCK) == 0);
	CHECK(write(ends[1], text, 40) == 40);
	CHECK(read(ends[0], back, sizeof(back)) == 40);
	CHECK(read(ends[0], back, sizeof(back)) < 0);
	CHECK(write(ends[1], memcpy(end - 3, "end", 3), 9) == 3 || errno == EFAULT);
	CHECK(writev(ends[1], vector, 1) == 3);
	CHECK(writev(ends[1], vector, 3) != 0);
	CHECK(bind(server, (void *)&address, sizeof(address)) == 0 && listen(server, 1) == 0);
	CHECK(getsockname(server, (void *)&address, &len) == 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(client, (void *)&address, len) == 0);
	CHECK(accept4(server, (void *)&peer, &len, SOCK_CLOEXEC) >= 0);
}

static void descriptors(const char *folder)
{
	char name[PAGE], link[PAGE], proc_name[64];
	FILE *list;
	int fds[16], count = 0, ends[2];

	CHECK(chdir(folder) == 0 && mkdir("a", 0755) == 0);
	CHECK((list = fopen("list", "w")));
	CHECK(pipe(ends) == 0);
	fds[count++] = open("a/file", O_CREAT | O_RDWR, 0600);
	fds[count++] = open("a", O_DIRECTORY);
	fds[count++] = open("/", O_PATH);
	fds[count++] = open("/proc/self/maps", O_RDONLY);
	fds[count++] = open("/dev/null", O_RDWR);
	fds[count++] = open("gone", O_CREAT | O_RDWR, 0600);
	CHECK(unlink("gone") == 0);
	fds[count++] = ends[0];
	fds[count++] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[count++] = eventfd(0, 0);
	fds[count++] = memfd_create("some name", 0);
	fds[count++] = open("/proc/self/ns/mnt", O_RDONLY);
	fds[count++] = syscall(SYS_pidfd_open, getpid(), 0);
	for (int i = 0; i < count; i++) {
		CHECK(fds[i] >= 0);
		snprintf(proc_name, sizeof(proc_name), "/proc/self/fd/%d", fds[i]);
		ssize_t len = readlink(proc_name, link, sizeof(link) - 1);
		CHECK(len > 0);
		fprintf(list, "%.*s\n", (int)len, link);
		CHECK(dup(fds[i]) >= 0);
	}
	CHECK(getcwd(name, sizeof(name)));
	dup(AT_FDCWD);
	fprintf(list, "%s\n", name);
	dup(-1);
	fprintf(list, "\n");
	dup(999);
	fprintf(list, "\n");
	/* What a process sees of paths ends at its own root. */
	int proc = open("/proc/self/fd", O_DIRECTORY);

	CHECK(proc >= 0 && chroot("a") == 0);
	fds[1] = open("/file", O_RDONLY);
	for (int i = 0; i < 2; i++) {
		snprintf(proc_name, sizeof(proc_name), "%d", fds[i]);
		ssize_t len = readlinkat(proc, proc_name, link, sizeof(link) - 1);

		CHECK(len > 0);
		fprintf(list, "%.*s\n", (int)len, link);
		CHECK(dup(fds[i]) >= 0);
	}
	CHECK(fclose(list) == 0);
}

static void filter(void)
{
	struct sock_filter code[] = DENYING(SYS_getppid, SECCOMP_RET_ERRNO | 33);
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void handler(int number)
{
	(void)number;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (!strcmp(how, "paths")) {
		paths();
	} else if (!strcmp(how, "buffers")) {
		buffers();
	} else if (!strcmp(how, "descriptors")) {
		descriptors(argv[2]);
	} else if (!strcmp(how, "exec")) {
		char *program = cold("/bin/true"), *args[] = {program, cold("arg"), NULL};

		execve("/no/such/program", args, args);
		execve(program, args, args);
		CHECK(!"executed");
	} else if (!strcmp(how, "exec-counted") || !strcmp(how, "exec-touched")) {
		char *variables[128] = {NULL}, **cold;
		int count = atoi(argv[2]);

		for (int i = 0; i < count && i < 127; i++)
			variables[i] = "A=1";
		cold = cold_bytes(variables, sizeof(variables));
		execve("/bin/true", argv, strcmp(how, "exec-touched") ? cold : variables);
		CHECK(!"executed");
	} else if (!strcmp(how, "exec-many")) {
		static char longest[3001];
		char *args[41];

		memset(longest, 'x', 3000);
		for (int i = 0; i < 40; i++)
			args[i] = i == 1 ? longest : "arg";
		args[40] = NULL;
		execv("/bin/true", args);
		CHECK(!"executed");
	} else if (!strcmp(how, "count")) {
		for (long i = atol(argv[2]); i > 0; i--)
			syscall(SYS_getppid);
	} else if (!strcmp(how, "answered")) {
		CHECK(syscall(SYS_getppid) > 0);
		filter();
		CHECK(syscall(SYS_getppid) == -1 && errno == 33);
	} else if (!strcmp(how, "waits")) {
		char byte;

		filter();
		CHECK(read(STDIN_FILENO, &byte, 1) == 0);
		CHECK(syscall(SYS_getppid) == -1 && errno == 33);
	} else if (!strcmp(how, "returns")) {
		filter();
		signal(SIGUSR1, handler);
		CHECK(raise(SIGUSR1) == 0);
	} else if (!strcmp(how, "forks")) {
		filter();
		pid_t child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (!child)
			_exit(syscall(SYS_getppid) == -1 && errno == 33 ? 0 : 99);
		reap(child);
	} else {
		return 98;
	}
	return 0;
}
