// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * badnr: numbers that no table has: -1 (a common probe), 511 (below x32's own range), 9999, and one
 * far outside any array.
 */
#include "tracee.h"

int main(void)
{
	static const long numbers[] = {-1, 511, 9999, 0x0fffffff};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		CHECK(syscall(numbers[i]) == -1 && errno == ENOSYS);
	return 0;
}
