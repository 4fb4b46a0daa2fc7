// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * filters own|supervised|strict|trapped: a program that confines itself. own: installs a filter
 * that fails getsid with 7, and calls getsid and getpgid. supervised: installs one that asks a
 * supervisor about getsid, a thread of this program, which answers 42. strict: a child in seccomp's
 * strict mode is killed for a getsid. trapped: getsid ends in a handler of SIGSYS.
 */
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "denying.h"
#include "tracee.h"

static long install(unsigned int action, unsigned int flags)
{
	struct sock_filter filter[] = DENYING(SYS_getsid, action);
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static void *supervise(void *listener)
{
	struct seccomp_notif asked = {0};
	struct seccomp_notif_resp answer = {0};

	CHECK(ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0);
	answer.id = asked.id;
	answer.val = 42;
	CHECK(ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
	return NULL;
}

static volatile sig_atomic_t taken;

static void take(int number)
{
	(void)number;
	taken++;
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	if (strcmp(argv[1], "own") == 0) {
		CHECK(install(SECCOMP_RET_ERRNO | 7, 0) == 0);
		CHECK(syscall(SYS_getsid, 0) == -1 && errno == 7);
		CHECK(syscall(SYS_getpgid, 0) > 0);
	} else if (strcmp(argv[1], "trapped") == 0) {
		CHECK(signal(SIGSYS, take) != SIG_ERR);
		CHECK(install(SECCOMP_RET_TRAP | 7, 0) == 0);
		syscall(SYS_getsid, 0);
		CHECK(taken == 1);
	} else {
		CHECK(strcmp(argv[1], "supervised") == 0);

		pthread_t thread;
		int listener =
			(int)install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);

		CHECK(listener >= 0);
		CHECK(pthread_create(&thread, NULL, supervise, &listener) == 0);
		CHECK(syscall(SYS_getsid, 0) == 42);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	return 0;
}
