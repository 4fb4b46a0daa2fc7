// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * bulky MIB: touches so much memory, page by page, prints "ready", waits for the end of its input,
 * and ends. The kernel takes a while to free it: the end of the process is long.
 */
#include <sys/mman.h>

#include "tracee.h"

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	size_t size = strtoul(argv[1], NULL, 10) << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char byte;

	CHECK(memory != MAP_FAILED);
	/* Not every kernel has huge pages. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += 4096)
		memory[at] = 1;
	CHECK(write(STDOUT_FILENO, "ready\n", 6) == 6);
	CHECK(read(STDIN_FILENO, &byte, 1) == 0);
	return 0;
}
