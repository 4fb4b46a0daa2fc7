/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Syscalls that no C library makes by itself at start or end, and that change nothing when they are
 * called with the arguments (-1, 0, 0, 0, 0, 0), also as root: nearly all fail with EBADF, EINVAL,
 * EFAULT or ESRCH; the others only answer.
 */
#ifndef HARMLESS_H
#define HARMLESS_H

#include "tracee.h"

struct harmless {
	const char *name;
	long nr;
};

#define CALL(name)                                                                                 \
	{                                                                                          \
#name, SYS_##name                                                                  \
	}

static const struct harmless harmless[] = {
	CALL(getitimer),
	CALL(setitimer),
	CALL(sched_get_priority_max),
	CALL(sched_get_priority_min),
	CALL(sched_rr_get_interval),
	CALL(sched_getscheduler),
	CALL(sched_getparam),
	CALL(sched_setparam),
	CALL(sched_getattr),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(timerfd_gettime),
	CALL(eventfd2),
	CALL(inotify_init1),
	CALL(inotify_add_watch),
	CALL(inotify_rm_watch),
	CALL(memfd_create),
	CALL(getsid),
	CALL(getpgid),
	CALL(getpriority),
	CALL(setpriority),
	CALL(mincore),
	CALL(msync),
	CALL(mbind),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(signalfd4),
	CALL(fanotify_init),
	CALL(io_setup),
	CALL(io_destroy),
	CALL(fallocate),
	CALL(fadvise64),
	CALL(readahead),
	CALL(sync_file_range),
	CALL(splice),
	CALL(tee),
	CALL(vmsplice),
	CALL(copy_file_range),
	CALL(preadv),
	CALL(pwritev),
	CALL(flock),
	CALL(fdatasync),
	CALL(syncfs),
	CALL(ftruncate),
	CALL(fchmod),
	CALL(fchown),
	CALL(flistxattr),
	CALL(fgetxattr),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(listen),
	CALL(accept4),
	CALL(shutdown),
	CALL(recvmmsg),
	CALL(sendmmsg),
	CALL(shmget),
	CALL(shmctl),
	CALL(shmdt),
	CALL(msgget),
	CALL(msgctl),
	CALL(semget),
	CALL(semctl),
	CALL(semop),
	CALL(mq_getsetattr),
	CALL(mq_unlink),
	CALL(timer_gettime),
	CALL(timer_getoverrun),
	CALL(timer_delete),
	CALL(times),
	CALL(getrusage),
	CALL(sysinfo),
	CALL(capget),
	CALL(getcpu),
	CALL(get_mempolicy),
	CALL(kcmp),
	CALL(pidfd_open),
	CALL(pidfd_send_signal),
	CALL(rt_sigpending),
	CALL(membarrier),
	CALL(personality),
	CALL(getresuid),
	CALL(getresgid),
	CALL(ioprio_get),
	CALL(readlinkat),
	CALL(utimensat),
	CALL(mq_timedsend),
	CALL(process_vm_readv),
	CALL(name_to_handle_at),
};

#define HARMLESS_COUNT (sizeof(harmless) / sizeof(harmless[0]))

static inline void call_harmless(const struct harmless *call)
{
	syscall(call->nr, -1L, 0L, 0L, 0L, 0L, 0L);
}

#endif
