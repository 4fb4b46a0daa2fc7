# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# i386: a static 32-bit program without a C library: getpid (20), getppid (64), exit (1).

	.globl _start
	.text
_start:
	movl	$20, %eax
	int	$0x80
	testl	%eax, %eax
	jle	failed
	movl	$64, %eax
	int	$0x80
	movl	$1, %eax
	xorl	%ebx, %ebx
	int	$0x80
failed:
	movl	$1, %eax
	movl	$99, %ebx
	int	$0x80
	.section .note.GNU-stack,"",@progbits
