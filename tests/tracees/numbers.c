// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * numbers FIRST COUNT: calls as many consecutive syscall numbers from FIRST on, once each. All must
 * be unknown to the kernel.
 */
#include "tracee.h"

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	long first = atol(argv[1]), count = atol(argv[2]);

	for (long nr = first; nr < first + count; nr++)
		CHECK(syscall(nr) == -1 && errno == ENOSYS);
	return 0;
}
