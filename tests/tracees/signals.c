// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * signals: prints "ready", then "NAME COUNT" for each HUP, INT, QUIT, TERM, USR1 or WINCH that it
 * gets. On USR2 it prints the totals of those it got, one line of NAME=COUNT, and ends with 0.
 */
#include <signal.h>

#include "tracee.h"

static const struct {
	int number;
	const char *name;
} known[] = {
	{SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"},
	{SIGTERM, "TERM"}, {SIGUSR1, "USR1"}, {SIGWINCH, "WINCH"},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

int main(void)
{
	int counts[KNOWN] = {0};
	sigset_t set;

	/* Whatever becomes of the test, we do not stay for ever. */
	alarm(600);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	for (size_t i = 0; i < KNOWN; i++)
		sigaddset(&set, known[i].number);
	/* Blocked and fetched one by one. Standard signals do not queue: senders wait for each
	 * line. */
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	puts("ready");
	for (;;) {
		int number = sigwaitinfo(&set, NULL);

		if (number < 0 && errno == EINTR)
			continue;
		CHECK(number > 0);
		if (number == SIGUSR2)
			break;
		for (size_t i = 0; i < KNOWN; i++)
			if (known[i].number == number)
				printf("%s %d\n", known[i].name, ++counts[i]);
	}
	for (size_t i = 0; i < KNOWN; i++)
		if (counts[i] > 0)
			printf("%s=%d ", known[i].name, counts[i]);
	puts("end");
	return 0;
}
