// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * slow_reaper COMMAND...: runs a command, and takes in the orphans of its descendants, which it
 * does not reap before the command has ended. Ends as the command does.
 */
#include <sys/prctl.h>

#include "tracee.h"

int main(int argc, char **argv)
{
	int status;
	pid_t child;

	CHECK(argc > 1 && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
