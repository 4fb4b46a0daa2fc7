// SPDX-License-Identifier: Apache-2.0 OR MIT
/*
 * int80: 64-bit x86 code that makes getpid through the i386 gate, whose number (20) is writev in
 * the native table, beside a native getppid. It makes no native writev, so a record of one is a
 * mistake.
 */
#include "tracee.h"

int main(void)
{
	long pid;

	/* The gate clobbers r8 to r11 on some kernels. */
	__asm__ volatile("int $0x80" : "=a"(pid) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	syscall(SYS_getppid);
	CHECK((int)pid == getpid());
	return 0;
}
