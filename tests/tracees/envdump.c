// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * envdump ARG...: prints what a program inherits, as sorted key=value lines, so that two ways of
 * starting it can be compared line by line. Pids of its own are left out; its process group,
 * session and the terminal's foreground group are those of whoever starts it.
 */
#include <dirent.h>
#include <stdarg.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tracee.h"

extern char **environ;
static char *lines[8192];
static size_t count;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	CHECK(count < sizeof(lines) / sizeof(lines[0]));
	CHECK(vasprintf(&lines[count++], format, args) > 0);
	va_end(args);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* First of all, while no descriptor of ours is open. */
static void descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	CHECK(dir);
	while ((entry = readdir(dir))) {
		char path[300], target[300];
		int fd = atoi(entry->d_name);
		ssize_t length;

		if (entry->d_name[0] == '.' || fd == dirfd(dir))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		length = readlink(path, target, sizeof(target) - 1);
		CHECK(length >= 0);
		target[length] = 0;
		say("fd.%d=%s flags=%x cloexec=%d", fd, target, fcntl(fd, F_GETFL),
		    fcntl(fd, F_GETFD));
	}
	closedir(dir);
}

static void status(void)
{
	static const char *const wanted[] = {
		"SigBlk", "SigIgn",	"SigPnd",  "ShdPnd", "SigCgt",	"CapInh",
		"CapPrm", "CapEff",	"CapBnd",  "CapAmb", "Uid",	"Gid",
		"Groups", "NoNewPrivs", "Seccomp", "Umask",  "Threads", "TracerPid"};
	FILE *file = fopen("/proc/self/status", "r");
	char line[4096];

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = 0;
		line[strlen(line) + 1 + strcspn(colon + 1, "\n")] = 0;
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strcmp(line, wanted[i]) == 0)
				say("status.%s=%s", line, colon + 1 + strspn(colon + 1, " \t"));
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	char cwd[4096];
	int value = 0;
	cpu_set_t cpus;

	descriptors();
	status();
	for (int i = 0; i < argc; i++)
		say("argv.%d=%s", i, argv[i]);
	for (char **variable = environ; *variable; variable++)
		say("env.%s", *variable);
	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		CHECK(getrlimit(i, &limit) == 0);
		say("rlimit.%02d=%llx:%llx", i, (long long)limit.rlim_cur,
		    (long long)limit.rlim_max);
	}
	CHECK(getcwd(cwd, sizeof(cwd)));
	say("cwd=%s", cwd);
	say("pgrp=%d", getpgrp());
	say("sid=%d", getsid(0));
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	say("tty_pgrp=%d", tty < 0 ? -1 : tcgetpgrp(tty));
	say("nice=%d", getpriority(PRIO_PROCESS, 0));
	say("scheduler=%d", sched_getscheduler(0));
	CHECK(sched_getaffinity(0, sizeof(cpus), &cpus) == 0);
	say("cpus=%d", CPU_COUNT(&cpus));
	say("pdeathsig=%d", prctl(PR_GET_PDEATHSIG, &value) == 0 ? value : -1);
	say("subreaper=%d", prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 ? value : -1);
	say("dumpable=%d", prctl(PR_GET_DUMPABLE));
	say("timerslack=%d", prctl(PR_GET_TIMERSLACK));
	say("securebits=%d", prctl(PR_GET_SECUREBITS));
	qsort(lines, count, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < count; i++)
		puts(lines[i]);
	return fflush(stdout) == 0 ? 0 : 98;
}
