// SPDX-License-Identifier: Apache-2.0 OR MIT
/* undumpable: a process that its own user may not trace. Ends at the end of standard input. */
#include <sys/prctl.h>

#include "tracee.h"

int main(void)
{
	char byte;

	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	return 0;
}
