// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * browser: confines itself as browsers do. With threads running it installs a filter for all of
 * them, which fails getsid; a child in namespaces of its own adds a filter, which fails getpgid,
 * and has a child, which has both; another child is in seccomp's strict mode. Who is allowed to
 * makes a call of its own: main times, the thread capget, the child sysinfo, the grandchild
 * getresuid.
 */
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "denying.h"
#include "tracee.h"

static int ready[2], filtered[2];

static void install(unsigned int nr, unsigned int flags)
{
	struct sock_filter filter[] = DENYING(nr, SECCOMP_RET_ERRNO | 7);
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program) == 0);
}

static void denied(long nr)
{
	CHECK(syscall(nr, 0) == -1 && errno == 7);
}

static void *thread_main(void *unused)
{
	char byte = 0;

	CHECK(write(ready[1], &byte, 1) == 1);
	CHECK(read(filtered[0], &byte, 1) == 1);
	denied(SYS_getsid);
	syscall(SYS_capget, NULL, NULL);
	return unused;
}

/* What shows pages: in namespaces of its own, with a filter of its own on top. */
static void renderer(void)
{
	pid_t child;

	install(SYS_getpgid, 0);
	denied(SYS_getsid);
	denied(SYS_getpgid);
	syscall(SYS_sysinfo, NULL);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		denied(SYS_getpgid);
		syscall(SYS_getresuid, NULL, NULL, NULL);
		_exit(0);
	}
	reap(child);
	_exit(0);
}

int main(void)
{
	pthread_t thread;
	pid_t child;
	char byte;

	CHECK(pipe(ready) == 0 && pipe(filtered) == 0);
	CHECK(pthread_create(&thread, NULL, thread_main, NULL) == 0);
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	install(SYS_getsid, SECCOMP_FILTER_FLAG_TSYNC);
	CHECK(write(filtered[1], &byte, 1) == 1);
	CHECK(pthread_join(thread, NULL) == 0);
	denied(SYS_getsid);
	syscall(SYS_times, NULL);

	child = (pid_t)syscall(SYS_clone,
			       SIGCHLD | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC,
			       NULL, NULL, NULL, NULL);
	CHECK(child >= 0);
	if (child == 0)
		renderer();
	reap(child);

	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0 || errno == EINVAL);
		syscall(SYS_exit, 0);
	}
	reap(child);
	return 0;
}
