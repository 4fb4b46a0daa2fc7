# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# i386spin: a static 32-bit program that writes "ready" (write is 4, which is stat in the native
# table) and then makes no call any more, and runs until it is killed.

	.globl _start
	.text
_start:
	movl	$4, %eax
	movl	$1, %ebx
	movl	$ready, %ecx
	movl	$6, %edx
	int	$0x80
spin:
	jmp	spin
	.section .rodata
ready:
	.ascii	"ready\n"
	.section .note.GNU-stack,"",@progbits
