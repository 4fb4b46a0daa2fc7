/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Calls of many kinds with arguments that are worth decoding: files, memory, descriptors, times,
 * limits, prctl, sockets, signals, children. Each is made once, and whether it succeeds is no
 * matter: whoever watches must say the same as anybody else who watches.
 */
#include "tracee.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <termios.h>

/* The result is nobody's business. */
#define CALL(call)                                                                                 \
	do {                                                                                       \
		long ignored = (long)(call);                                                       \
		(void)ignored;                                                                     \
	} while (0)

static void files(void)
{
	struct stat st;
	struct statfs fs;
	char buf[64];
	int fd = open("a\n\"b", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0640);

	CHECK(fd >= 0);
	CALL(write(fd, "text\0\1\377 and more than thirty-two bytes", 39));
	CALL(pwrite(fd, "abc", 3, 7));
	CALL(pread(fd, buf, sizeof(buf), 2));
	CALL(lseek(fd, -5, SEEK_END));
	CALL(ftruncate(fd, 20));
	CALL(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096));
	CALL(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	CALL(fchmod(fd, 04755));
	CALL(fstat(fd, &st));
	CALL(fstatfs(fd, &fs));
	CALL(flock(fd, LOCK_EX | LOCK_NB));
	CALL(fcntl(fd, F_GETFL));
	CALL(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
	CALL(fcntl(fd, F_SETFD, FD_CLOEXEC));
	CALL(fcntl(fd, F_GETFD));
	CALL(fcntl(fd, F_SETOWN_EX, &(struct f_owner_ex){F_OWNER_PID, 0}));
	CALL(fcntl(fd, F_GETOWN_EX, &(struct f_owner_ex){0}));
	CALL(fcntl(fd, F_DUPFD_CLOEXEC, 40));
	CALL(fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK, .l_len = 5}));
	CALL(dup3(fd, 41, O_CLOEXEC));
	CALL(ioctl(fd, FIONREAD, &(int){0}));
	CALL(ioctl(fd, TIOCGWINSZ, buf));
	CALL(ioctl(fd, TCFLSH, TCIOFLUSH));
	CALL(ioctl(fd, TCXONC, TCOON));
	CALL(ioctl(fd, 0x12345678, buf));
	CALL(setxattr("a\n\"b", "user.name", "value", 5, XATTR_CREATE));
	CALL(close(fd));
	CALL(close(AT_FDCWD));
	CALL(dup2(AT_FDCWD, 3));
	CALL(stat("/dev/null", &st));
	CALL(stat("/nonexistent", &st));
	CALL(lstat("/proc/self/exe", &st));
	CALL(access("/etc", R_OK | X_OK));
	CALL(mkdir("d", 01777));
	CALL(symlink("target", "d/link"));
	CALL(readlink("d/link", buf, sizeof(buf)));
	CALL(link("a\n\"b", "d/hard"));
	CALL(rename("d/hard", "d/harder"));
	CALL(syscall(SYS_renameat2, AT_FDCWD, "d/harder", AT_FDCWD, "d/link", 1));
	CALL(unlinkat(AT_FDCWD, "d/harder", 0));
	CALL(unlink("d/link"));
	CALL(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	CALL(mknod("fifo", S_IFIFO | 0600, 0));
	CALL(unlink("fifo"));
	CALL(utimensat(AT_FDCWD, "a\n\"b", (struct timespec[]){{1, UTIME_OMIT}, {2, UTIME_NOW}},
		       0));
	CALL(unlink("a\n\"b"));
	CALL(chdir("."));
	CALL(getcwd(buf, sizeof(buf)));
	CALL(umask(077));
	CALL(open((char *)1, O_RDONLY));
	CALL(mount("none", "/nonexistent", "tmpfs", MS_NOSUID | MS_NODEV, "size=1m"));
	CALL(umount2("/nonexistent", MNT_DETACH));
	CALL(syscall(SYS_openat2, AT_FDCWD, "/etc", &(long[]){O_PATH | O_DIRECTORY, 0, 8}, 24));
}

static void memory(void)
{
	void *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int fd = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	CALL(mprotect(page, 4096, PROT_NONE));
	CALL(syscall(SYS_mprotect, page, 4096, 1L << 40 | PROT_READ));
	CALL(syscall(SYS_pkey_mprotect, page, 4096, 1L << 40, -1));
	CALL(syscall(SYS_mmap, NULL, 0, 1L << 40, MAP_PRIVATE, -1, 0));
	CALL(syscall(SYS_mremap, page, 4096, 4096, 1L << 40));
	CALL(syscall(SYS_readv, -1, NULL, 1L << 31));
	CALL(syscall(SYS_writev, -1, NULL, 1L << 32));
	CALL(syscall(SYS_pwritev, -1, NULL, -1L, 0));
	CALL(madvise(page, 8192, MADV_DONTNEED));
	CALL(mlock(page, 1));
	CALL(munmap(page, 8192));
	CALL(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	CALL(fcntl(fd, F_GET_SEALS));
	CALL(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 4096));
	CALL(close(fd));
}

static void processes(void)
{
	struct rlimit limit = {64, RLIM_INFINITY};
	struct rusage usage;
	struct utsname name;
	struct timespec time = {0, 1000};
	struct itimerval timer = {{0, 0}, {100, 5}};
	cpu_set_t cpus;
	char comm[16];
	pid_t child;

	CALL(prctl(PR_SET_NAME, "na\nme"));
	CALL(prctl(PR_GET_NAME, comm));
	CALL(prctl(PR_SET_DUMPABLE, 1));
	CALL(prctl(PR_GET_DUMPABLE));
	CALL(prctl(PR_SET_PDEATHSIG, SIGTERM));
	CALL(prctl(PR_CAPBSET_READ, 21));
	CALL(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CALL(personality(0xffffffff));
	CALL(unshare(CLONE_FS | CLONE_FILES));
	CALL(setns(-1, CLONE_NEWNET));
	CALL(setrlimit(RLIMIT_CORE, &limit));
	CALL(getrlimit(RLIMIT_NOFILE, &limit));
	CALL(getrusage(RUSAGE_SELF, &usage));
	CALL(uname(&name));
	CALL(sched_getaffinity(0, sizeof(cpus), &cpus));
	CALL(setpriority(PRIO_PROCESS, 0, 1));
	CALL(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 7));
	CALL(syscall(SYS_ioprio_get, 1, 0));
	CALL(clock_getres(CLOCK_MONOTONIC, &time));
	CALL(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL));
	CALL(setitimer(ITIMER_VIRTUAL, &timer, NULL));
	CALL(close(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)));
	CALL(ptrace(PTRACE_ATTACH, -1, NULL, NULL));
	CALL(syscall(SYS_keyctl, 0, -3, 0));
	CALL(syscall(SYS_seccomp, 2, 0, &(unsigned int){0x7fff0000}));
	CALL(syscall(SYS_bpf, 5, NULL, 0));
	CALL(syscall(SYS_membarrier, 0, 0));
	CALL(syscall(SYS_sched_setattr, -1, &(int[12]){48, SCHED_OTHER, 1}, 0));
	CALL(syscall(SYS_futex, &(int){0}, 0x81, 1));
	CALL(syscall(SYS_futex, &(int){0}, 0x85, 1, 1, &(int){0}, 0x13002004));
	CALL(syscall(SYS_futex, &(int){0}, 0x85, 1, 1, &(int){0}, 0xffffffff));
	child = fork();
	if (child == 0)
		_exit(3);
	CALL(waitpid(child, NULL, 0));
	child = fork();
	if (child == 0) {
		CALL(kill(getpid(), SIGTERM));
		_exit(4);
	}
	CALL(wait4(child, &(int){0}, 0, &usage));
	child = vfork();
	if (child == 0) {
		execve("/nonexistent", (char *[]){"arg\t0", "1", NULL}, (char *[]){"A=1", NULL});
		_exit(5);
	}
	CALL(wait4(child, &(int){0}, WNOHANG | WUNTRACED, NULL));
	CALL(wait4(child, &(int){0}, 0, NULL));
}

static void ipc(void)
{
	int shared = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0644);
	int queue = msgget(IPC_PRIVATE, IPC_CREAT | IPC_EXCL | 0600);

	CALL(shmget(0x5ecc, 4096, 0600));
	CALL(semget(0x5ecc, 0, 0));
	CALL(semget(0x5ecc, 0, IPC_NOWAIT | 0640));
	CALL(shmctl(shared, IPC_RMID, NULL));
	CALL(msgctl(queue, IPC_RMID, NULL));
}

static void handle(int signal)
{
	(void)signal;
}

static void signals(void)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	CALL(sigaction(SIGUSR1, &action, NULL));
	CALL(sigprocmask(SIG_BLOCK, &set, NULL));
	CALL(kill(getpid(), SIGUSR1));
	CALL(sigprocmask(SIG_UNBLOCK, &set, NULL));
	CALL(raise(SIGUSR1));
	CALL(sigaltstack(NULL, &(stack_t){0}));
	CALL(close(signalfd(-1, &set, SFD_CLOEXEC)));
	CALL(sigqueue(getpid(), SIGWINCH, (union sigval){.sival_int = 7}));
}

static void *serve(void *listening)
{
	char buf[16];
	int peer = accept4(*(int *)listening, NULL, NULL, SOCK_CLOEXEC);
	ssize_t got = recv(peer, buf, sizeof(buf), 0);

	CHECK(got > 0 && send(peer, buf, (size_t)got, MSG_NOSIGNAL) == got);
	CALL(close(peer));
	return NULL;
}

static void sockets(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un un = {AF_UNIX, "/nonexistent/socket"};
	struct sockaddr_nl nl = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd, other, one = 1, pair[2];
	socklen_t length = sizeof(in);
	pthread_t server;
	char buf[16];

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	CALL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
	CHECK(bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0 && listen(fd, 8) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&in, &length) == 0);
	CHECK(pthread_create(&server, NULL, serve, &fd) == 0);
	other = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(connect(other, (struct sockaddr *)&in, sizeof(in)) == 0);
	CALL(setsockopt(other, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	CALL(sendto(other, "ping", 4, 0, NULL, 0));
	CALL(recvfrom(other, buf, sizeof(buf), MSG_WAITALL, NULL, NULL));
	CHECK(pthread_join(server, NULL) == 0);
	CALL(setsockopt(other, SOL_SOCKET, 99, "more than two bytes", 20));
	CALL(setsockopt(other, SOL_SOCKET, SO_BINDTODEVICE, "more than two bytes", 20));
	length = sizeof(buf);
	CALL(getsockopt(other, SOL_TCP, TCP_INFO, buf, &length));
	length = sizeof(one);
	CALL(getsockopt(other, SOL_SOCKET, SO_ERROR, &one, &length));
	CALL(getpeername(other, (struct sockaddr *)&in, &(socklen_t){sizeof(in)}));
	CALL(shutdown(other, SHUT_RDWR));
	CALL(close(other));
	CALL(close(fd));

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	for (int known = 0; known < 2; known++) {
		struct ifreq request = {0};

		strcpy(request.ifr_name, known ? "lo" : "nosuch");
		CALL(ioctl(fd, SIOCGIFFLAGS, &request));
		CALL(ioctl(-1, SIOCSIFFLAGS, &request));
		CALL(ioctl(fd, SIOCGIFADDR, &request));
		CALL(ioctl(-1, SIOCSIFADDR, &request));
		CALL(ioctl(fd, SIOCGIFNETMASK, &request));
		CALL(ioctl(fd, SIOCGIFHWADDR, &request));
		CALL(ioctl(fd, SIOCGIFMTU, &request));
		CALL(ioctl(-1, SIOCSIFMTU, &request));
		CALL(ioctl(fd, SIOCGIFINDEX, &request));
		CALL(ioctl(fd, SIOCGIFNAME, &request));
	}
	CALL(ioctl(fd, SIOCGIFFLAGS, 8));
	CALL(close(fd));

	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	CALL(bind(fd, (struct sockaddr *)&in6, sizeof(in6)));
	CALL(close(fd));
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	CALL(connect(fd, (struct sockaddr *)&un, sizeof(un)));
	memcpy(un.sun_path, "\0abstract", 10);
	CALL(bind(fd, (struct sockaddr *)&un, sizeof(sa_family_t) + 9));
	CALL(close(fd));
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	CALL(bind(fd, (struct sockaddr *)&nl, sizeof(nl)));
	CALL(close(fd));

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CALL(writev(pair[0], (struct iovec[]){{"one", 3}, {"two", 3}}, 2));
	CALL(readv(pair[1], (struct iovec[]){{buf, 4}, {buf, 8}}, 2));
	CALL(poll((struct pollfd[]){{pair[1], POLLIN, 0}, {pair[0], POLLOUT, 0}}, 2, 0));
	fd = epoll_create1(EPOLL_CLOEXEC);
	CALL(epoll_ctl(fd, EPOLL_CTL_ADD, pair[0],
		       &(struct epoll_event){EPOLLIN | EPOLLOUT | 0x20 | EPOLLET, {.u64 = 7}}));
	CALL(epoll_wait(fd, &(struct epoll_event){0}, 1, 10));
	CALL(close(fd));
	CALL(close(eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE)));
	fd = inotify_init1(IN_CLOEXEC);
	CALL(inotify_add_watch(fd, "/tmp", IN_CREATE | IN_DELETE | IN_ONLYDIR));
	CALL(close(fd));
	CHECK(pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0);
	CALL(read(pair[0], buf, 1));
	CALL(close(pair[0]));
}

/* Nothing is there. */
static void unreadable(void)
{
	void *volatile nowhere = (void *)8;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CALL(writev(1, nowhere, 2));
	CALL(pwritev(1, nowhere, 2, 0));
	CALL(readv(0, nowhere, 2));
	CALL(syscall(SYS_writev, -1, nowhere, 0));
	CALL(vmsplice(1, nowhere, 2, 0));
	CALL(process_vm_writev(getpid(), nowhere, 2, nowhere, 2, 0));
	CALL(select(3, nowhere, NULL, NULL, NULL));
	CALL(sched_setaffinity(0, 8, nowhere));
	CALL(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, nowhere, 4));
	CALL(setsockopt(fd, SOL_SOCKET, 99, nowhere, 40));
	CALL(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, nowhere, 40));
	CALL(close(fd));
}

int main(void)
{
	char folder[] = "/tmp/seccomp-trace-calls-XXXXXX";

	CHECK(mkdtemp(folder) && chdir(folder) == 0);
	files();
	memory();
	processes();
	ipc();
	signals();
	sockets();
	unreadable();
	CHECK(rmdir(folder) == 0);
	return 0;
}
